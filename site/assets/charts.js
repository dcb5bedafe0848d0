// Draws the interactive charts of a page in the place of their drawings. Everything on the page is there without it.
(function () {
  "use strict";
  var dark = window.matchMedia("(prefers-color-scheme: dark)");
  var print = window.matchMedia("print");
  var drawn = [];

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  // dress gives the options the page's own colours; names stay data and are drawn as text by the SVG renderer.
  function dress(options) {
    var soft = colour("--soft"), line = colour("--line");
    options.backgroundColor = "transparent";
    options.color = ["--s0", "--s1", "--s2", "--s3"].map(colour);
    options.textStyle = { color: soft, fontFamily: getComputedStyle(document.body).fontFamily };
    options.grid = { left: 56, right: 16, top: 40, bottom: 32 };
    options.legend = Object.assign(options.legend || {}, { textStyle: { color: soft }, icon: "circle" });
    options.tooltip = Object.assign(options.tooltip || {}, { renderMode: "richText", backgroundColor: colour("--card"), borderColor: line, textStyle: { color: colour("--ink") } });
    ["xAxis", "yAxis"].forEach(function (axis) {
      (options[axis] || []).forEach(function (a) {
        a.axisLabel = { color: soft, hideOverlap: true };
        a.splitLine = { show: axis === "yAxis", lineStyle: { color: line } };
        a.axisLine = { lineStyle: { color: line } };
        a.nameTextStyle = { color: soft, align: "left" };
      });
    });
    (options.series || []).forEach(function (s) { s.symbolSize = 8; s.symbol = "circle"; });
    options.aria = { enabled: true };
    return options;
  }

  function draw(data) {
    var place = data.parentElement.querySelector(".drawing");
    if (!place || !window.echarts) { return; }
    var options = dress(JSON.parse(data.textContent));
    var box = document.createElement("div");
    box.className = "live";
    place.replaceWith(box);
    box.classList.add("drawing");
    var chart = window.echarts.init(box, null, { renderer: "svg" });
    chart.setOption(options);
    drawn.push({ chart: chart, data: data });
  }

  function again() {
    drawn.forEach(function (d) { d.chart.setOption(dress(JSON.parse(d.data.textContent)), true); });
  }

  document.querySelectorAll("script.chart").forEach(function (data) {
    try { draw(data); } catch (e) { /* the drawing stays */ }
  });
  dark.addEventListener("change", again);
  print.addEventListener("change", again);
  window.addEventListener("resize", function () { drawn.forEach(function (d) { d.chart.resize(); }); });
})();
