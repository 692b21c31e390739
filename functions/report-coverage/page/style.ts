/**
 * The style sheet of the page. From 1,100 pixels on, each row is one line of a grid, with the reason below. On narrower
 * screens, each row is a card, and the headings are a line of buttons that sort. The browser skips the layout of rows that are
 * not visible (`content-visibility`), so a page with 10,000 rows opens fast. The height that it assumes for a table body is that of 20 rows.
 */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #f4f6f8; --card: #fff; --text: #1b2430; --soft: #55606e; --line: #dde2e8; --link: #0b57c2;
  --u: #b3261e; --f: #a63c06; --s: #825500; --k: #5b48b0; --p: #18703f; --e: #5b6675;
  --on: #fff; --warn: #fff4e0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161b; --card: #1a2027; --text: #e6eaef; --soft: #a3aebb; --line: #303943; --link: #82b4ff;
    --u: #ff8a80; --f: #ffa26b; --s: #e8bd55; --k: #b9abff; --p: #6fcf97; --e: #a3aebb;
    --on: #12161b; --warn: #33290f;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
html { scroll-padding-top: 4rem; }
body {
  margin: 0 auto; max-width: 90rem; padding: 2rem 1.5rem 4rem; background: var(--page); color: var(--text);
  font: 1rem/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, "Noto Sans", sans-serif;
  overflow-wrap: anywhere;
}
h1, h2, p, ul, ol, dl, dd { margin: 0; }
h1 { font-size: clamp(1.5rem, 1.1rem + 1.8vw, 2.25rem); line-height: 1.2; letter-spacing: -.01em; text-wrap: balance; }
h2 { font-size: 1.05rem; }
a { color: var(--link); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 4px; }
header p, .soft, small, caption, noscript { color: var(--soft); font-size: .875rem; }
header h1 + p { margin-top: .5rem; }
i, code { font: .8125rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
section, nav { margin-top: 1.25rem; }
.bar { display: block; width: 100%; height: 14px; margin: 1.5rem 0 .75rem; border-radius: 7px; background: var(--line); }
rect.u { fill: var(--u); } rect.f { fill: var(--f); } rect.s { fill: var(--s); }
rect.k { fill: var(--k); } rect.p { fill: var(--p); } rect.e { fill: var(--e); }
.u { --c: var(--u); --g: "\\d7" / ""; } .f { --c: var(--f); --g: "!" / ""; } .s { --c: var(--s); --g: "\\2193" / ""; }
.k { --c: var(--k); --g: "?" / ""; } .p { --c: var(--p); --g: "\\2713" / ""; } .e { --c: var(--e); --g: "\\2013" / ""; }
fieldset { border: 0; padding: 0; margin: 0; min-width: 0; }
legend { padding: 0; margin-bottom: .5rem; color: var(--soft); font-size: .875rem; }
.states { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .5rem; padding: 0; list-style: none; }
.states > li > * {
  display: grid; grid-template-columns: 1fr auto; align-content: start; gap: 0 .5rem; height: 100%; padding: .625rem .875rem;
  background: var(--card); border: 1px solid var(--line); border-radius: 10px; color: inherit; text-decoration: none;
}
.states b { font-size: 1.5rem; line-height: 1.25; font-variant-numeric: tabular-nums; }
.states span { grid-row: 2; grid-column: 1 / -1; font-weight: 600; color: var(--c); }
.states small { grid-column: 1 / -1; line-height: 1.35; }
.states label:has(.js:not([hidden])):hover, .states a:hover { border-color: var(--soft); }
.states label:has(:checked) { border-color: var(--c); box-shadow: inset 0 0 0 1px var(--c); }
.states .none { --c: var(--soft); }
.states .none b, .states .none span { font-weight: 400; color: var(--soft); }
input, select, button { font: inherit; color: inherit; }
[type=checkbox] { width: 1.125rem; height: 1.125rem; margin: 0; accent-color: var(--link); }
.tools { display: flex; flex-wrap: wrap; gap: .75rem; align-items: end; margin-top: 1rem; }
.tools label { display: grid; gap: .25rem; font-size: .875rem; color: var(--soft); }
.tools label:first-child { flex: 1 1 11rem; max-width: 32rem; }
.tools input, .tools select, .tools button {
  min-height: 2.5rem; padding: .25rem .75rem; width: 100%; background: var(--card); color: var(--text);
  border: 1px solid var(--soft); border-radius: 8px; font-size: 1rem;
}
.tools button { width: auto; cursor: pointer; }
.tools output { min-height: 2.5rem; display: flex; align-items: center; font-size: .875rem; }
.note { padding: 1rem 1.25rem; background: var(--warn); border: 1px solid var(--line); border-left: 5px solid var(--s); border-radius: 10px; }
.note ul { margin-top: .5rem; padding-left: 1.25rem; }
details.box { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: .75rem 1.25rem; }
summary { cursor: pointer; width: fit-content; min-height: 1.5rem; }
.box > div { overflow-x: auto; margin-top: .75rem; }
.box th, .box td { padding: .25rem 1.5rem .25rem 0; text-align: left; vertical-align: top; min-width: 7rem; }
#list, #list thead, #list tbody, #list caption { display: block; }
#list { margin-top: 1.5rem; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
#list caption { text-align: left; padding: .75rem 1rem; border-bottom: 1px solid var(--line); }
#list th, #list td { padding: 0; text-align: left; font-weight: 400; min-width: 0; }
#list thead { background: var(--card); border-bottom: 1px solid var(--line); padding: .25rem 1rem; z-index: 1; }
#list thead tr { display: flex; flex-wrap: wrap; align-items: center; }
thead th { font-size: .8125rem; color: var(--soft); }
thead button { border: 0; background: none; padding: .25rem .3rem; min-height: 2rem; border-radius: 6px; cursor: pointer; font-weight: 600; text-align: left; }
thead button:hover { background: var(--page); }
thead button::after { content: "\\2195" / ""; margin-left: .2rem; opacity: .5; }
[aria-sort=ascending] button::after { content: "\\2191" / ""; opacity: 1; }
[aria-sort=descending] button::after { content: "\\2193" / ""; opacity: 1; }
[aria-sort] button { color: var(--text); }
.sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
#list tbody tr {
  display: flex; flex-wrap: wrap; gap: .125rem 1.25rem; padding: .75rem 1rem; border-bottom: 1px solid var(--line);
}
#list tbody { content-visibility: auto; contain-intrinsic-size: auto 160rem; }
#list tbody:last-child { content-visibility: visible; }
#list tbody:last-child tr:last-child { border: 0; }
tbody td:first-child { color: var(--c); font-weight: 600; }
.states span::before, tbody td:first-child::before {
  content: var(--g); display: inline-block; width: 1.25rem; height: 1.25rem; margin-right: .5rem; border-radius: 50%;
  background: var(--c); color: var(--on); font: 700 .8125rem/1.25rem system-ui, sans-serif; text-align: center;
}
tbody tr.f td:first-child::before, .states .f span::before { border-radius: 4px; }
tbody tr.p td:first-child, tbody tr.e td:first-child { font-weight: 400; }
tbody td:first-child, tbody th, td:nth-child(8), td:nth-child(9) { flex: 1 0 100%; }
#list tbody th bdi { display: block; font-weight: 600; }
tbody i { color: var(--soft); font-style: normal; }
tbody small { display: block; }
td:nth-child(n+3):nth-child(-n+7) { font-variant-numeric: tabular-nums; }
td:nth-child(n+3):nth-child(-n+7)::before { color: var(--soft); font-size: .8125rem; }
td:nth-child(4):not(:empty)::before { content: "Size (GB) "; }
td:nth-child(5):not(:empty)::before { content: "Newest good "; }
td:nth-child(6)::before { content: "Good "; }
td:nth-child(7)::before { content: "Failed "; }
td:nth-child(5) small { display: inline; margin-left: .25rem; }
tr.p td:nth-child(8) > bdi, tr.e td:nth-child(8) > bdi, tbody dl { color: var(--soft); font-size: .875rem; }
tbody dl { display: flex; flex-wrap: wrap; gap: 0 1.25rem; }
dl div { display: flex; gap: .375rem; }
dt { flex: none; }
dd { color: var(--text); }
tbody details { margin-top: .25rem; }
tbody ol { padding-left: 1.5rem; font-size: .875rem; }
tbody li { margin-top: .75rem; }
li code { display: block; padding: .5rem .75rem; margin-top: .25rem; background: var(--page); border-radius: 6px; user-select: all; }
svg { vertical-align: top; max-width: 100%; }
svg path { fill: none; stroke-width: 3; stroke: var(--p); }
path.d { stroke: var(--soft); opacity: .6; stroke-width: 1.5; stroke-dasharray: 1.5 4.5; }
path.x { stroke: var(--u); stroke-width: 2; } path.c { stroke: var(--k); stroke-width: 1.5; }
.key { display: flex; flex-wrap: wrap; gap: 0 1.25rem; }
.key svg { margin-right: .25rem; vertical-align: -1px; }
footer { margin-top: 2rem; }
@media (max-width: 39.99rem) { body { padding: 1.25rem .75rem 3rem; } 
  .states { grid-template-columns: 1fr 1fr; } .states small { display: none; } .states > li > * { padding: .375rem .625rem; }
  .states span::before { margin-right: .375rem; }
 }
@media (min-width: 40rem) {
  #list thead { position: sticky; top: 0; }
  #list tbody tr { display: grid; grid-template-columns: 8.5rem repeat(4, auto) 1fr; }
  tbody td:first-child { grid-area: 1 / 1; }
  tbody th { grid-area: 1 / 2 / auto / -1; }
  td:nth-child(8), td:nth-child(9) { grid-column: 2 / -1; }
  td:nth-child(n+3):nth-child(-n+7) { grid-row: 2; }
  td:nth-child(3) { grid-column: 2; } td:nth-child(4) { grid-column: 3; } td:nth-child(5) { grid-column: 4; }
  td:nth-child(6) { grid-column: 5; } td:nth-child(7) { grid-column: 6; }
}
@media (min-width: 68.75rem) {
  #list thead tr, #list tbody tr { display: grid; grid-template-columns: 8.5rem minmax(0, 1fr) 4.5rem 5.5rem 9rem 4.5rem 4.5rem 11.5rem; gap: .125rem 1rem; }
  #list tbody { contain-intrinsic-size: auto 84rem; }
  tbody th { grid-area: 1 / 2; }
  td:nth-child(n+3):nth-child(-n+7) { grid-row: 1; }
  td:nth-child(3) { grid-column: 3; } td:nth-child(4) { grid-column: 4; } td:nth-child(5) { grid-column: 5; }
  td:nth-child(6) { grid-column: 6; } td:nth-child(7) { grid-column: 7; }
  td:nth-child(8) { grid-area: 2 / 2 / auto / 9; }
  td:nth-child(9) { grid-area: 1 / 8; }
  td:nth-child(n+3)::before { display: none; }
  #list td:nth-child(4), #list td:nth-child(6), #list td:nth-child(7), #list th:nth-child(4), #list th:nth-child(6), #list th:nth-child(7) { text-align: right; }
  td:nth-child(5) small { display: block; margin: 0; }
  thead button { margin: 0 -.375rem; }
}
@media (forced-colors: active) { .states span::before, tbody td:first-child::before { forced-color-adjust: none; } }
@media print { #list thead { position: static; } #list tbody { content-visibility: visible; } }
`;
