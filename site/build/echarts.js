// The entry of the vendored bundle: only what the report draws. See build.sh.
import * as core from "echarts/core";
import { LineChart, BarChart, ScatterChart } from "echarts/charts";
import { GridComponent, TooltipComponent, LegendComponent, TitleComponent, DataZoomInsideComponent, AriaComponent } from "echarts/components";
import { SVGRenderer } from "echarts/renderers";

core.use([LineChart, BarChart, ScatterChart, GridComponent, TooltipComponent, LegendComponent, TitleComponent, DataZoomInsideComponent, AriaComponent, SVGRenderer]);
export const init = core.init;
