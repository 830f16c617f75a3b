"""The report's style sheet: restrained, legible in light and dark, printable."""

STYLE = """
:root {
  --page: #ffffff; --text: #1c1f23; --soft: #666d76; --rule: #dfe3e8; --panel: #f6f7f9;
  --model: #2563a8; --blind: #8b929b; --gap: #c2452d; --one: #2563a8; --two: #b7791f; --three: #2f7d4f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #15181c; --text: #e4e7eb; --soft: #9aa3ad; --rule: #333a42; --panel: #1d2127;
    --model: #6ea8e6; --blind: #8b929b; --gap: #f08a72; --one: #6ea8e6; --two: #e0b050; --three: #6fc08f;
  }
}
body { background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif; margin: 0; }
main { max-width: 1120px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { font-size: 26px; font-weight: 600; margin: 0 0 20px; overflow-wrap: anywhere; }
h2 { font-size: 19px; font-weight: 600; margin: 40px 0 12px; }
h3 { font-size: 15px; font-weight: 600; margin: 24px 0 8px; }
p, ul { color: var(--soft); max-width: 76ch; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 14px 6px 0; text-align: left; vertical-align: baseline; border-bottom: 1px solid var(--rule); }
th { font-weight: 500; }
thead th { color: var(--soft); font-size: 13px; }
td small { color: var(--soft); white-space: nowrap; }
.facts th { color: var(--soft); white-space: nowrap; }
.facts td { overflow-wrap: anywhere; }
.blind-row th, .blind-row td { color: var(--soft); }
.scroll { overflow-x: auto; }
.charts, .tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); gap: 20px; }
figure { margin: 0; background: var(--panel); border-radius: 8px; padding: 12px; }
figcaption { color: var(--soft); font-size: 13px; margin-top: 6px; overflow-wrap: anywhere; }
figcaption b { color: var(--text); font-weight: 600; }
img { display: block; width: 100%; border-radius: 4px; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--soft); font-size: 11px; font-family: inherit; }
svg .grid { stroke: var(--rule); }
svg .axis { stroke: var(--soft); }
svg .model { fill: var(--model); }
svg .blind { stroke: var(--blind); stroke-width: 1.6; stroke-dasharray: 4 2; }
svg .ideal { stroke: var(--blind); stroke-dasharray: 4 3; }
svg .gap { stroke: var(--gap); stroke-width: 1.5; }
svg .line { stroke-width: 2; }
svg .line.series-0 { stroke: var(--one); } svg .dot.series-0 { fill: var(--one); }
svg .line.series-1 { stroke: var(--two); } svg .dot.series-1 { fill: var(--two); }
svg .line.series-2 { stroke: var(--three); } svg .dot.series-2 { fill: var(--three); }
.keys { display: flex; align-items: center; gap: 8px; font-size: 13px; }
.key { display: inline-block; width: 18px; margin-left: 8px; }
.model-key { height: 10px; background: var(--model); }
.blind-key { border-top: 2px dashed var(--blind); }
.confusion th, .confusion td { padding: 3px 6px; font-size: 12px; border: 1px solid var(--rule); }
.confusion td { text-align: right; background: color-mix(in srgb, var(--model) calc(var(--share) * 60%), transparent); }
.confusion thead span { writing-mode: vertical-rl; transform: rotate(180deg); white-space: nowrap; }
.confusion tbody th { white-space: nowrap; }
@media print { figure { break-inside: avoid; } }
"""
