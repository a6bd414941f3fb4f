/**
 * The page's style sheet, as text. DuckLake is orange and Delta blue, the pair of the Okabe-Ito palette that stays
 * apart under every common colour-blindness; red is never the only sign of a failure.
 */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --surface: #ffffff; --text: #1b2330; --muted: #5b6675; --grid: #e3e7ed; --line: #d5dbe3;
  --bad: #b3261e; --good: #1a7f4b; --point: #1b2330; --floor: #b9c1cc;
  --ducklake-0: #e08a00; --ducklake-1: #c26f00; --ducklake-2: #f0a93b; --ducklake-3: #a35a00; --ducklake-4: #7a4300;
  --delta-0: #0072b2; --delta-1: #3d95cd; --delta-2: #5aaedf; --delta-3: #00558a; --delta-4: #8a7fd6;
  --other-0: #6b7280; --other-1: #4b5563; --other-2: #8b93a1; --other-3: #374151; --other-4: #a8b0bc;
  --read-before: #9aa5b4; --read-after: #8e4585; --read-maintained: #2e8b76;
  --operation-0: #4c78a8; --operation-1: #e0a526; --operation-2: #2e8b76; --operation-3: #b55d9c; --operation-4: #8d6a4f; --operation-5: #7a8594;
}
@media (prefers-color-scheme: dark) {
  :root:not(.print) {
    --page: #11151b; --surface: #1a2028; --text: #e6eaf0; --muted: #9aa6b5; --grid: #2b333e; --line: #343d49;
    --bad: #ff8a80; --good: #5fd39a; --point: #ffffff; --floor: #55606e;
    --ducklake-0: #f0a028; --ducklake-1: #d0831a; --ducklake-2: #f7bd62; --ducklake-3: #b06c10; --ducklake-4: #ffd9a0;
    --delta-0: #3b9fe0; --delta-1: #68b6e8; --delta-2: #8fcaf0; --delta-3: #2a7fb8; --delta-4: #a79cf0;
    --read-before: #77828f; --read-after: #c583bb; --read-maintained: #56b8a0;
  }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif }
main { max-width: 1180px; margin: 0 auto; padding: 2rem 1.25rem 4rem }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.35rem; margin: 2.5rem 0 .25rem } h3 { font-size: 1rem; margin: 0 0 .5rem }
.meta, .question { color: var(--muted); margin: .15rem 0 1rem }
.verdict { background: var(--surface); border: 1px solid var(--line); border-left: 6px solid var(--line); border-radius: 8px; padding: .9rem 1.2rem; margin: .8rem 0 }
.verdict.ducklake { border-left-color: var(--ducklake-0) } .verdict.delta { border-left-color: var(--delta-0) }
.verdict h2, .verdict h3 { font-size: .95rem; margin: 0; color: var(--muted); font-weight: 600 }
.verdict p { font-size: 1.2rem; line-height: 1.4; font-weight: 600; margin: .1rem 0 0 }
ul { padding-left: 1.2rem; margin: .5rem 0 1rem } li { margin: .2rem 0 }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 500px), 1fr)); gap: 1rem; margin: 1rem 0 }
figure { margin: 0; padding: 1rem; background: var(--surface); border: 1px solid var(--line); border-radius: 8px; min-width: 0 }
.wide .charts { grid-template-columns: 1fr }
.absent { color: var(--muted); font-size: .86rem; margin: .25rem 0 } .verdict p.unanswered { font-size: 1rem; font-weight: 400; color: var(--muted) }
a { color: var(--delta-0) } figcaption { font-size: .86rem; margin-top: .4rem }
.flags { list-style: none; padding: 0; margin: .25rem 0; font-size: .86rem; overflow-wrap: anywhere }
.plot { position: relative; width: 100% }
.scroll { overflow-x: auto; background: var(--surface); border: 1px solid var(--line); border-radius: 8px }
table { border-collapse: collapse; width: 100%; font-size: .86rem; font-variant-numeric: tabular-nums }
th, td { padding: .4rem .6rem; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top }
tbody tr:last-child td { border-bottom: 0 }
thead th { color: var(--muted); font-weight: 600; vertical-align: bottom }
.number { text-align: right } td.number { white-space: nowrap } td.arm { white-space: nowrap; font-weight: 600 }
td.passed { min-width: 6.5rem } td.failure { min-width: 13rem }
td.passed { color: var(--good) } td.failure { color: var(--bad) }
[hidden] { display: none } form { display: flex; flex-wrap: wrap; gap: .75rem 1rem; align-items: end } fieldset { border: 1px solid var(--line); border-radius: 8px; display: flex; flex-wrap: wrap; gap: .1rem .9rem; min-width: 0 } select { font: inherit; max-width: 100% }
details { margin: .7rem 0 } summary { cursor: pointer; font-weight: 600; padding: .2rem 0 }
.warnings li { margin: .45rem 0 } .warnings span { color: var(--muted) }
pre { background: var(--surface); border: 1px solid var(--line); border-radius: 8px; padding: .8rem 1rem; overflow-x: auto; font-size: .9rem }
button { font: inherit; color: inherit; background: var(--surface); border: 1px solid var(--line); border-radius: 6px; padding: .35rem .8rem; cursor: pointer }
@media (max-width: 600px) { main { padding: 1rem .75rem 3rem } .verdict p { font-size: 1.05rem } }
@media print {
  body { background: #fff; font-size: 11px } main { max-width: none; padding: 0 } button { display: none }
  .charts { display: block } figure { margin-bottom: .8rem } h2, h3 { break-after: avoid }
  figure, .verdict, tr { break-inside: avoid } .scroll { overflow: visible } table { font-size: 8px } th, td { padding: .2rem .3rem }
}
`
