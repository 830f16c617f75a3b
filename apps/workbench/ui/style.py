"""What the page looks like: dark and calm, one accent, pictures first."""

from __future__ import annotations

from typing import Any

THEME = "samantic"

VUETIFY: dict[str, Any] = {
    "theme": {
        "defaultTheme": THEME,
        "themes": {
            THEME: {
                "dark": True,
                "colors": {
                    "background": "#0e1114",
                    "surface": "#15191e",
                    "surface-light": "#1d232a",
                    "primary": "#46c2b0",
                    "secondary": "#7f8b97",
                    "error": "#ef7d6d",
                    "warning": "#e8b45a",
                    "success": "#6cc58a",
                    "info": "#7fb2e5",
                },
            }
        },
    },
    "defaults": {
        "VBtn": {"style": "text-transform: none; letter-spacing: 0;"},
        "VTooltip": {"openDelay": 400},
    },
}

CSS = """
html { overflow: hidden; }
body, .v-application { font-family: Inter, "Segoe UI", Roboto, system-ui, sans-serif; }
.sam-bar { border-bottom: 1px solid #252c34 !important; }
.sam-mark { width: 26px; height: 26px; border-radius: 8px; background: #46c2b0; color: #0e1114; font-weight: 800;
  display: flex; align-items: center; justify-content: center; font-size: 15px; }
.sam-next { font-size: 16px; font-weight: 500; color: #eef3f6; white-space: nowrap; overflow: hidden;
  text-overflow: ellipsis; }
.sam-next-arrow { color: #46c2b0; }
.sam-section { padding: 14px 16px 4px 16px; }
.sam-title { font-size: 11px; font-weight: 600; letter-spacing: .08em; text-transform: uppercase; color: #7f8b97;
  margin-bottom: 6px; display: flex; align-items: center; justify-content: space-between; min-height: 22px; }
.sam-faint { color: #8a96a2; font-size: 12px; line-height: 1.4; }
.sam-dot { width: 11px; height: 11px; border-radius: 50%; display: inline-block; flex: none; }
.sam-row { display: flex; align-items: center; gap: 9px; padding: 5px 8px; border-radius: 7px; cursor: pointer;
  font-size: 13.5px; min-height: 31px; }
.sam-row:hover { background: #20272e; }
.sam-row.active { background: #1c3a38; }
.sam-row .grow { flex: 1; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.sam-code { color: #66727e; font-size: 11px; font-variant-numeric: tabular-nums; }
.sam-card { background: #1b2127; border-radius: 10px; padding: 11px 13px; }
.sam-bars { display: grid; grid-template-columns: 116px 1fr 34px; gap: 4px 8px; align-items: center; font-size: 12px; }
.sam-bar-track { height: 5px; border-radius: 3px; background: #2a323a; overflow: hidden; }
.sam-bar-fill { height: 100%; border-radius: 3px; }
.sam-bars .label { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; color: #b8c2cb; }
.sam-bars .number { color: #8a96a2; text-align: right; font-variant-numeric: tabular-nums; }
.sam-actions { padding: 12px 16px 14px 16px; border-top: 1px solid #252c34; background: #15191e; }
.sam-tool { width: 40px; height: 40px; min-width: 40px; border-radius: 9px; margin: 2px 4px; }
.sam-tool.on { background: #1c3a38; color: #5fd6c4; }
.sam-tool-gap { height: 1px; background: #2a323a; margin: 6px 10px; }
.sam-note { position: absolute; left: 50%; bottom: 18px; transform: translateX(-50%); max-width: min(760px, 82%);
  z-index: 20; border-radius: 10px; padding: 10px 10px 10px 16px; display: flex; align-items: center; gap: 12px;
  font-size: 14px; background: #20262dF2; border: 1px solid #36404a; box-shadow: 0 8px 28px #0009; }
.sam-note.error { border-color: #a05349; }
.sam-note.good { border-color: #3e7d57; }
.sam-key { background: #262e36; border-radius: 5px; padding: 2px 8px; font-size: 12px;
  font-family: ui-monospace, monospace;  color: #d5dde4; border: 1px solid #353f49; }
.v-tooltip > .v-overlay__content { background: #2a323a !important; color: #dfe6eb !important; font-size: 12.5px; }
.layout-grid-item { border: 1px solid #1c2127 !important; }
.sam-view-name { position: absolute; top: 8px; left: 10px; font-size: 12px; font-weight: 600; color: #c8d2da;
  text-shadow: 0 0 4px #000; pointer-events: none; }
.sam-view-buttons { position: absolute; top: 2px; right: 2px; opacity: .55; }
.sam-view-buttons:hover { opacity: 1; }
.sam-view-slider { position: absolute; bottom: 0; left: 10px; right: 10px; opacity: .6; }
.sam-view-slider:hover { opacity: 1; }
.sam-welcome { position: absolute; inset: 0; z-index: 15; display: flex; align-items: center; justify-content: center;
  background: #0e1114; }
.v-field--variant-solo-filled .v-field__overlay { opacity: .03 !important; }
::-webkit-scrollbar { width: 9px; } ::-webkit-scrollbar-thumb { background: #2c343c; border-radius: 5px; }
::-webkit-scrollbar-track { background: transparent; }
"""
