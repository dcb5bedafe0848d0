#!/bin/sh
# Builds ../assets/echarts.min.js from npm's echarts. Needs npm; run it by hand when the version below changes, and commit the result.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$here/echarts.js" "$work/"
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts echarts@6.1.0 esbuild@0.25.11 >/dev/null
node node_modules/esbuild/install.js
npx esbuild echarts.js --bundle --minify --format=iife --global-name=echarts --legal-comments=none \
  --banner:js="/*! Apache ECharts 6.1.0, Apache-2.0, with zrender (BSD-3-Clause); see LICENSE-echarts.txt */" --outfile="$here/../assets/echarts.min.js"
cat node_modules/echarts/LICENSE node_modules/echarts/NOTICE node_modules/zrender/LICENSE >"$here/../assets/LICENSE-echarts.txt"
sha256sum "$here/../assets/echarts.min.js"
