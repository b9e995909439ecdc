// The style sheet, as text, because a shadow root takes it from there. Sizes are those of the design: 4-8-12-16-24,
// text >= 11 px.

export const styleText = /* css */ `
:host { display: block; contain: inline-size; }
* { box-sizing: border-box; }
.gv { font: 12px/1.35 var(--jp-ui-font-family, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial,
  sans-serif);
  font-variant-numeric: tabular-nums; color: var(--ink); background: var(--bg); border: 1px solid var(--line);
  border-radius: 8px;
  max-width: 1440px; margin: 0 auto; position: relative; overflow: clip; text-align: left; }
button, select, input { font: inherit; color: inherit; margin: 0; }
button, textarea, .menu .sheet, .typing :is(input, select) { background: var(--bg); border: 1px solid var(--edge);
  border-radius: 5px; }
button { height: 25px; padding: 0 8px; cursor: pointer; white-space: nowrap; }
button:hover:not(:disabled, [aria-disabled="true"], [aria-pressed="true"], [aria-selected="true"]) {
  background: var(--sunk); }
button:disabled, button[aria-disabled="true"] { color: var(--text3); border-color: var(--line); cursor: default; }
button[aria-pressed="true"], button[aria-selected="true"] { background: var(--ink); border-color: var(--ink);
  color: var(--bg); font-weight: 600; }
:focus-visible { outline: 2px solid var(--ink); outline-offset: 2px; }
.gv:focus-visible { outline-offset: -2px; }
canvas { display: block; touch-action: pan-y; } .map canvas { touch-action: none; }
[hidden] { display: none !important; }
.muted { color: var(--text2); } .note { color: var(--text3); font-size: 11px; }
.away, .slim .bar h3 { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; }
header .title, header .tally, .series :is(b, .count), .ruler .names span {
  overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.clause { display: inline-block; max-width: 100%; }
.details, .captions, .branches, .strip, .time, .foot, .over, .printed, .chosen, .medium .panel.answers {
  border-top: 1px solid var(--line); }
.selectable { user-select: text; }

header { display: flex; align-items: center; gap: 6px 12px; padding: 5px 12px; min-height: 38px;
  border-bottom: 1px solid var(--line); }
header .title { font-size: 15px; font-weight: 650; margin: 0; } .wide .title { max-width: 40%; }
header .title span { white-space: nowrap; font-weight: 400; font-size: 12px; color: var(--text2); margin-left: 6px; }
header .tally { min-width: 60px; }
header .letters { display: flex; align-items: center; gap: 4px 6px; padding-left: 10px; min-width: 0;
  border-left: 1px solid var(--line); white-space: nowrap; }
header .tools { display: flex; gap: 6px; margin-left: auto; align-items: center; flex: none; }
.series { border-color: transparent; display: inline-flex; align-items: center; gap: 6px; padding: 0 6px;
  min-width: 44px; overflow: hidden; }
.series .count { flex-shrink: 99; }
.series b { font-weight: 650; }
.series[aria-pressed="false"] :not(.badge) { color: var(--text3); text-decoration: line-through; }
.series[aria-pressed="true"] { background: none; color: inherit; border-color: transparent; font-weight: 400; }
.series.focus[aria-pressed="true"] { border-color: var(--edge); background: var(--sunk); }
.badge { display: inline-grid; place-items: center; min-width: 17px; height: 17px; padding: 0 3px; border-radius: 3px;
  font-size: 11px; font-weight: 700; border: 1.5px solid var(--ink); color: var(--ink); background: var(--bg);
  text-decoration: none; }
.badge.A { background: var(--ink); color: var(--bg); } .badge.C { border-style: double; border-width: 3.5px; }
.badge.D { border-style: dashed; }

.yours { padding: 8px 16px; border-bottom: 1px solid var(--line); }
.yours .fields { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 10px; }
.typing { display: flex; flex-wrap: wrap; gap: 8px 16px; margin-top: 8px; } .typing[hidden] { display: none; }
.typing textarea { width: auto; height: auto; font: 13px/1.3 ui-monospace, monospace; background: var(--bg);
  padding: 4px 6px; max-width: 100%; }
.typing .choices { flex: 1 1 260px; min-width: 0; display: grid; gap: 8px; align-content: start; }
.typing [aria-invalid=true] { border-color: var(--vermilion); }
.typing [aria-invalid=true] + .choices .note { color: var(--ink); font-size: 13px; font-weight: 600; }
.typing p { margin: 0; } .typing label { display: inline-flex; align-items: center; gap: 5px; }
.typing :is(input, select) { height: 27px; padding: 0 4px; } .typing input { width: 68px; }

.panels { display: grid; grid-template-columns: var(--columns); position: relative; }
.panel { padding: 6px 12px; min-width: 0; position: relative; }
.panel + .panel { border-left: 1px solid var(--line); }
.no-board .board.panel, .no-map .map, .no-answers .answers { display: none; }
.no-board .map, .no-board.no-map .answers { border-left: 0; } .no-map .board .stage { margin: 0 auto; }
.under .board.panel { grid-area: 1 / 1; } .under .map { grid-area: 1 / 2 / 3; } .under .answers { grid-area: 2 / 1; }
.divider { position: absolute; z-index: 2; touch-action: none; outline-offset: -3px; }
.divider:is(.at-board, .at-answers) { top: 0; bottom: 0; width: 9px; margin-left: -4px; cursor: col-resize; }
.divider.at-curves { left: 0; right: 0; bottom: -5px; height: 9px; cursor: row-resize; }
.divider:is(:hover, :focus-visible)::after { content: ""; position: absolute; inset: 0; margin: auto;
  background: var(--ink); }
.divider:is(.at-board, .at-answers)::after { width: 3px; } .divider.at-curves::after { height: 3px; }
.bar { display: flex; align-items: center; gap: 6px; height: 25px; margin-bottom: 5px; }
.bar h3 { font-size: 13px; font-weight: 650; margin: 0; }
.bar .sub { color: var(--text2); min-width: 0; flex: 1 1 60px; max-height: 1.35em; overflow: hidden; }
.bar .push { margin-left: auto; display: flex; align-items: center; gap: 4px; min-width: 0; }
.bar button { height: 24px; padding: 0 7px; }
.slimmer .bar { gap: 4px; } .slimmer .bar button { padding: 0 4px; }
.slimmest .bar :is(button, .push) { padding: 0 2px; gap: 2px; font-size: 11px; }
.slimmest .menu > button::after { content: none; }
.stage { position: relative; outline-offset: 2px; } .stage canvas + canvas { position: absolute; inset: 0; }
.board .stage { overflow: auto; } .board .stage .away { top: 0; left: 0; }
.legend { display: flex; flex-wrap: wrap; gap: 0 9px; margin-top: 4px; height: var(--legend); overflow: hidden;
  align-content: start; font-size: 11px; line-height: 15px; color: var(--text2); align-items: center; }
.legend > span { display: inline-flex; align-items: center; gap: 5px; }
.legend > .reading { display: block; max-height: 100%; }
.slimmer .legend { gap: 0 7px; } .slimmer .legend > span { gap: 3px; }
.strip { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 16px; padding: 3px 12px; min-height: 31px;
  white-space: nowrap; }
.colors, .selecting, .switches { display: flex; align-items: center; gap: 4px; min-width: 0; }
.colors { gap: 8px; flex: 1 1 auto; } .chips { display: flex; flex-wrap: wrap; gap: 4px; align-items: center; }
.selecting { gap: 6px; } .switches { gap: 3px; }
.strip button { height: 23px; padding: 0 7px; }
.chip { display: inline-flex; align-items: center; gap: 5px; }
.chip b { font-weight: 600; }
.chip[aria-pressed="true"] { background: var(--given); color: var(--ink); border: 2px solid var(--ink);
  font-weight: 600; padding: 0 6px; }
.ramp { display: inline-flex; } .ramp .key { border-radius: 0; width: 14px; }
.switches button[aria-pressed="true"] { background: var(--given); color: var(--ink); border-color: var(--edge);
  font-weight: 400; }
.switches button[aria-pressed="false"] { color: var(--text3); text-decoration: line-through; }
.key { width: 12px; height: 12px; border-radius: 3px; display: inline-block; flex: none; }
.key.given { background: var(--given); border: 1px solid var(--edge); } .key.changed { border: 2px solid var(--ink); }
.key.conflict { border: 1px solid var(--vermilion);
  background: linear-gradient(225deg, var(--vermilion) 5px, transparent 5px), repeating-linear-gradient(135deg,
  var(--vermilion) 0 1px, transparent 1px 4px); }
.key.certainty { height: 3px; border-radius: 0; background: linear-gradient(90deg, var(--text2) 62%, var(--line) 62%);
  width: 18px; }
.key.doubt { border-radius: 50%; background: var(--gold); }
.key.effect { width: 44px; border-radius: 0; border: 1px solid var(--edge); }
.key.effect.more { background: linear-gradient(90deg, transparent,
  color-mix(in srgb, var(--purple) 55%, transparent)); }
.key.effect.less { background: linear-gradient(270deg, transparent,
  color-mix(in srgb, var(--gold) 55%, transparent)); }
.key.halo { border-radius: 50%; background: radial-gradient(circle, var(--text2) 2.2px, var(--line) 2.8px); }
.meter { width: 76px; height: 6px; border-radius: 3px; background: var(--line); overflow: hidden; }
.meter i { display: block; height: 100%; background: var(--ink); }
.apart { flex-basis: 100%; color: var(--ink); } .caption { color: var(--text2); font-size: 11px; }
.push .caption { min-width: 0; max-height: 1.35em; overflow: hidden; } .push button { flex: none; }

.rows { display: grid; gap: 2px; }
.row { display: grid; grid-template-columns: 13px 10px minmax(0, 1fr) 50px 22px; gap: 5px; align-items: center;
  border: 0; height: auto; padding: 3px 2px; text-align: left; width: 100%; border-radius: 3px; }
.row .label { color: var(--text2); }
.row b { font-weight: 650; }
.row[aria-selected="true"] { background: var(--given); color: var(--ink); font-weight: 400;
  border-left: 3px solid var(--ink); border-radius: 0 3px 3px 0; }
.row .count { text-align: right; font-weight: 600; }
.bars { display: grid; gap: 2px; position: relative; background: var(--sunk); }
.bars i { display: block; height: 9px; background: currentColor; min-width: 0; } .bars.two i { height: 4px; }
.bars .badge { position: absolute; top: -4px; }
.mark { flex: none; display: block; }
.answers h4 { font-size: 11px; font-weight: 400; color: var(--text2); margin: 10px 0 4px; }
.marks { display: grid; grid-template-columns: repeat(13, 14px); gap: 1px; }
.marks > div { width: 14px; height: 14px; display: grid; place-items: center; border-radius: 3px; cursor: pointer;
  border: 0 solid var(--ink); } .marks > div:hover { background: var(--given); }
.marks > .selected { border-bottom-width: 2px; border-radius: 0; }
.marks > .pinned { border-width: 1.5px; border-radius: 0; border-style: solid; }
.marks > .focus { border-width: 2px; border-style: solid; border-radius: 7px; }
.marks > .gray { color: var(--gray) !important; } .marks > .gray .mark { transform: scale(.7); }
.marks > .faint { opacity: .3; }
.marks.dense { grid-template-columns: repeat(auto-fill, 9px); } .marks.dense > div { width: 9px; height: 9px; }
.marks.dense svg { width: 8px; height: 8px; }
.answers .body { height: calc(var(--answers) + var(--legend) + 4px); overflow: auto; padding-bottom: 12px;
  mask-image: linear-gradient(#000 calc(100% - 12px), transparent); }
.under .panels { grid-template-rows: auto 1fr; } .under .answers { display: flex; flex-direction: column; }
.under .answers .body { flex: 1 1 0; height: 0; } .under .board .legend { height: auto; max-height: var(--legend); }
.answers .bar button { padding: 0 4px; font-size: 11px; }
.chosen { display: grid; grid-template-columns: minmax(0, auto) 14px minmax(76px, 1fr); overflow-wrap: anywhere;
  gap: 3px 8px; margin-top: 8px; padding-top: 8px; align-items: center; }
.chosen .note { grid-column: 1 / -1; } .chosen b { font-weight: 600; } .found { margin-top: 8px; color: var(--text2); }

.turns { display: flex; flex: none; } .turns button { border-radius: 0; margin-left: -1px; }
.turns button:first-child { border-radius: 5px 0 0 5px; } .turns button:last-child { border-radius: 0 5px 5px 0; }
.gv:not(.printing) .panels:has(> .gallery:not([hidden])) > .panel { visibility: hidden; }
.gallery { position: absolute; inset: 0; z-index: 3; background: var(--bg); display: flex;
  flex-direction: column; padding: 10px 16px 0; }
.printing .gallery { display: none; }
.gallery .bar { flex-wrap: wrap; height: auto; } .gallery .sub { max-height: none; flex: 1 1 200px; }
.gallery .sub + button { margin-left: auto; } .wide .gallery .sub + button { order: 1; }
.orders { display: flex; flex-wrap: wrap; gap: 4px; }
.tiles { position: relative; flex: 1; min-height: 0; overflow: auto; display: grid; align-content: start;
  grid-template-columns: repeat(auto-fill, minmax(146px, 1fr)); gap: 4px; padding: 4px; }
.tiles h4 { grid-column: 1 / -1; margin: 6px 4px 0; font-size: 12px; font-weight: 600; }
.tile { height: auto !important; padding: 6px; border-color: transparent !important; display: grid;
  justify-items: center; gap: 1px; align-content: start; content-visibility: auto;
  contain-intrinsic-size: auto 146px auto 190px; font-size: 11px; white-space: normal; }
.tile .line { display: inline-flex; align-items: center; gap: 4px; } .tile .mark { color: var(--mark); }
.tile.focus { box-shadow: inset 0 0 0 2px var(--ink); } .tile.gray canvas { opacity: .4; }

.time { padding: 4px 12px; position: relative; --gutter: 190px; }
.lane { display: grid; grid-template-columns: var(--gutter) minmax(0, 1fr); height: var(--lane); align-items: center; }
.lane .gutter { display: flex; gap: 8px; align-items: center; padding-right: 10px; line-height: 1.3; min-width: 0;
  position: relative; align-self: stretch; align-content: center; overflow: hidden; white-space: nowrap; }
.lane :is(.name, .gutter b) { font-weight: 650; display: block; }
.lane .name { border: 0; padding: 0; height: auto; min-width: 0; background: none; cursor: grab; }
.lane .name::before { content: "▸"; display: inline-block; width: 11px; font-size: 11px; color: var(--text3); }
.lane.tall .name::before { content: "▾"; }
.lane .unit { color: var(--text2); font-size: 11px; display: none; }
.lane .values { margin-left: auto; display: flex; gap: 4px; }
.lane .values span { color: var(--text2); }
.lane canvas { width: 100%; } .lane.tall { height: var(--tall); }
.lane.tall .gutter { display: block; padding-top: 4px; } .lane.tall .unit { display: block; padding-left: 11px; }
.lane.tall .values { padding-left: 11px; } .scale { display: none; }
.lane.tall .scale { display: block; position: absolute; inset: 0 6px 0 auto; width: 40px; font-size: 11px;
  color: var(--text2); text-align: right; }
.scale span { position: absolute; right: 0; transform: translateY(-50%); }
.ruler { position: relative; z-index: 1; display: grid; grid-template-columns: var(--gutter) minmax(0, 1fr);
  outline-offset: 1px; border-radius: 3px; }
.ruler .names { position: relative; color: var(--text2); font-size: 11px; }
.ruler .names span { position: absolute; left: 0; right: 8px; }
.playhead { position: absolute; width: 0; pointer-events: none; top: 4px; border-left: 1.8px solid var(--ink); }
.playhead::before { content: ""; position: absolute; left: -5.9px; top: 0; width: 10px; height: 9px;
  background: var(--ink); clip-path: polygon(0 0, 100% 0, 100% 55%, 50% 100%, 0 55%); }

.foot { position: sticky; bottom: 0; z-index: 3; display: flex; flex-direction: column; background: var(--bg); }
.transport { display: flex; align-items: center; gap: 6px 10px; padding: 5px 12px; flex: none; white-space: nowrap; }
.transport .set { display: flex; gap: 4px; }
.transport .set button { width: 30px; height: 28px; padding: 0; display: grid; place-items: center; }
.transport .set .play { width: 42px; background: var(--ink); border-color: var(--ink); color: var(--bg); }
.transport .set .play:disabled { opacity: .4; }
.readout { min-width: 196px; } .readout b { font-size: 15px; font-weight: 650; margin-right: 7px; }
.jumps { display: flex; gap: 4px; } :is(.jumps, .reply, .options):empty { display: none; }
.transport .rest { display: flex; gap: 10px; align-items: center; }
.transport label { display: inline-flex; gap: 6px; align-items: center; }
input[type=range] { width: 64px; accent-color: var(--ink); }
input[type=checkbox] { accent-color: var(--ink); width: 15px; height: 15px; } .rate { min-width: 50px; }
.details { display: flex; gap: 12px; align-items: center; padding: 4px 12px; flex: 1 0 auto; min-width: 0;
  height: 42px; background: var(--sunk); }
.details p { margin: 0; flex: 1; min-width: 0; line-height: 17px; max-height: 34px; overflow: hidden; }
.roomy .foot { flex-direction: row; } .roomy .details { border: 0 solid var(--line); border-left-width: 1px; flex: 1; }
.presenting .details { height: 54px; }

.captions { display: flex; gap: 16px; align-items: flex-start; padding: 10px 16px; background: var(--sunk);
  font-size: 13px; }
.captions .words { flex: 1; min-width: 0; display: grid; gap: 6px; } .captions .say { max-width: 90ch; }
.captions .words:not(:has(.say)) { display: flex; flex-wrap: wrap; gap: 6px 16px; align-items: center; }
.reply { font-weight: 600; }
.branches { padding: 8px 16px; max-height: 150px; overflow: auto; display: grid; gap: 2px; }
.branches h3 { font-size: 13px; font-weight: 650; margin: 0 0 2px; }
.branch { display: flex; gap: 4px 8px; align-items: center; flex-wrap: wrap; }
.branch .badge.none { border-style: dotted; color: var(--text3); border-color: var(--edge); }
.branch .called { border-color: transparent; font-weight: 600; padding: 0 4px; }
.branch .tools { margin-left: auto; display: flex; gap: 4px; }
.branch button { height: 23px; padding: 0 7px; } .branch input { height: 23px; min-width: 220px; }
.options { display: flex; flex-wrap: wrap; gap: 6px; align-items: center; }
.captions .steps { display: flex; gap: 8px; align-items: center; flex: none; }
.lane.history { height: 32px; } .history .values { flex-wrap: wrap; max-height: 1.35em;
  justify-content: flex-end; overflow: hidden; }
.asking :is(.history canvas, .answers .body, .lanes canvas, .values, .tally, [data-jump],
  .transport .menu) { visibility: hidden; }
[data-highlight="map"] :is(.board, .answers, .time), [data-highlight="board"] :is(.map, .answers, .time),
  [data-highlight="answers"] :is(.board, .map, .time), [data-highlight="curves"] .panel,
  [data-highlight="time"] .panel { opacity: .45; }
.presenting { max-width: none; font-size: 16px; border-radius: 0; }
.presenting :is(.yours, .answers, .lanes, .tools, .jumps, .selecting, .switches, :is(.transport, .bar) .menu,
  .dividers) {
  display: none; }
.presenting :is(.title, .bar h3) { font-size: 18px; }
.presenting .captions { font-size: 24px; } .presenting .captions button { font-size: 18px; height: 36px; }
.presenting .legend { font-size: 15px; line-height: 22px; }
.presenting .details p { max-height: 44px; line-height: 22px; }
.presenting :is(.board, .map) { display: block !important; }
.presenting .ruler .names span { font-size: 14px; } .presenting canvas { cursor: crosshair; }
.blank > * { visibility: hidden; } .gv.blank { background: #000; }

.menu { position: relative; } .menu > button::after { content: "▾"; margin-left: 6px; font-size: 11px; }
.menu .sheet { position: absolute; right: 0; top: 31px; z-index: 5; min-width: 190px; max-height: 440px;
  overflow: auto; padding: 5px; }
.sheet button { scroll-margin: 6px; display: flex; width: 100%; border: 0; text-align: left; align-items: center;
  gap: 8px; } .sheet button::before { content: ""; width: 12px; flex: none; }
.sheet button[aria-checked="true"]::before { content: "✓"; }
.sheet .heading { font-size: 11px; font-weight: 600; color: var(--text3); margin: 7px 9px 2px; }
.sheet .why { font-size: 11px; color: var(--text3); padding: 0 9px 4px 29px; max-width: 260px; white-space: normal; }
.over { position: absolute; inset: 38px 0 0; z-index: 4; background: var(--bg); padding: 12px 16px; overflow: auto; }
.over .bar { position: sticky; top: -12px; background: var(--bg); padding: 4px 0; z-index: 1; }
.over dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(330px, 1fr)); gap: 4px 24px; margin: 0; }
.over dl div { display: flex; gap: 10px; } .over dt { min-width: 140px; font-weight: 600; }
.over dd { margin: 0; color: var(--text2); }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: right; padding: 3px 10px; border-bottom: 1px solid var(--line); }
th:nth-child(-n+3), td:nth-child(-n+3) { text-align: left; }
th button { border: 0; padding: 0; font-weight: 600; }
textarea { width: 100%; height: 140px; font: 12px/1.4 ui-monospace, monospace; color: inherit;
  background: var(--sunk); }
.trouble { padding: 12px 16px; color: var(--ink); }
.panel .trouble { position: absolute; inset: 0; background: var(--bg); z-index: 3; }
.tabs { display: none; gap: 4px; padding: 6px 12px 0; }

.medium .panel.answers { border-left: 0; }
.medium:not(.under) .answers { grid-column: 1 / -1; }
.medium:not(.under) .answers .body { display: grid; grid-template-columns: 250px minmax(0, 1fr) auto; gap: 0 24px; }
.medium:not(.under) .chosen { margin: 0; padding: 0; border: 0; align-content: start; }
.medium .answers h4 { margin-top: 0; } .medium:not(.under) .found { grid-column: 1 / -1; }
.medium .time { --gutter: 176px; }
.wide:not(.roomy) .series .count, :is(.medium, .narrow) :is(.series .count, .switches, .place),
  .narrow :is(.panel:not(.open), .lane:not(.history) .values, .lane .unit, .details .note),
  .narrow .lane .name::before { display: none; }
:is(.medium, .narrow) header { flex-wrap: wrap; } .medium header .letters { border: 0; }
.narrow header .letters { order: 1; border: 0; padding: 0; flex-basis: 100%; }
.narrow .title { flex: 1; min-width: 72px; font-size: 13px; line-height: 17px; white-space: normal;
  overflow-wrap: anywhere; }
.narrow .title span { display: block; margin: 0; white-space: normal; }
.narrow .details { height: 59px; } .narrow .details p { max-height: 51px; }
.narrow header .tally { flex: none; max-width: 50%; }
.narrow .panels { grid-template-columns: minmax(0, 1fr); }
.narrow .tabs { display: flex; } .narrow.presenting .foot { position: static; }
.narrow .panel + .panel { border-left: 0; }
.narrow .time { --gutter: 108px; } .narrow .tall .name { white-space: normal; text-align: left; max-width: 62px; }
.narrow .lane .gutter { padding-right: 6px; }
.narrow .lane :is(.name, .gutter b), .narrow .ruler .names span { font-size: 11px; }
:is(.medium, .narrow) .marks { grid-template-columns: repeat(auto-fill, 14px); }
.narrow .transport { flex-wrap: wrap; }
.medium .readout { min-width: 80px; }
.narrow .readout { min-width: 60px; }
.narrow .over { inset: 0; }
.narrow .menu .sheet { position: fixed; right: auto; }
.tabs button { height: auto; min-height: 30px; flex: 1; display: flex; flex-direction: column; align-items: center;
  gap: 2px; padding: 4px; }
.tallied { font-size: 18px; line-height: 40px; font-weight: 600; }
.narrowest { display: none; margin: 0; padding: 0 12px 8px; } .tiny .narrowest { display: block; }
.left-out { margin: 0; padding: 6px 16px; background: var(--sunk); }
.tiny .title span, :is(.tiny, .presenting) .tabs, .tiny .time, .tiny .panel:not(.board) { display: none; }
.tiny .board { display: block !important; }

@media (pointer: coarse) { button:not(.name, .tile) { min-height: 44px; min-width: 44px; }
  .bar { height: 35px; } .bar button { min-height: 35px; min-width: 35px; } }
@media (forced-colors: active) { .meter i, .bars i, .playhead::before, .mark, .key { forced-color-adjust: none; }
  button:not(.series, .chip, .row, .switches *):is([aria-pressed="true"], [aria-selected="true"]) {
    forced-color-adjust: none; background: Highlight; color: HighlightText; border-color: Highlight; }
  .series.focus { border-width: 3px; } }
.printed { display: none; margin: 0; padding: 8px 16px; font-size: 11px; }
.printing { width: 680px; } .printing .printed { display: block; }
.printing :is(.series, .chip, .strip .menu > button) { padding: 0; border: 0; background: none; }
.printing .menu > button::after { content: none; } .printing .lane .name::before { content: none; }
.printing .details { height: auto; } .printing .details p { max-height: none; }
.printing :is(.yours, .tools, .transport, .tabs, .bar .menu, .over, .push, .caption, .captions),
.printing :is(.selecting, .switches, .dividers) {
  display: none !important; } .printing .foot { position: static; }
.printing .details .note { display: none; }
@media print { .gv, .gv * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
.panel, .lane { break-inside: avoid; } }
`;
