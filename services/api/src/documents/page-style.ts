/** The style of all pages but the reference: readable on a phone and on a wide screen, light and dark, with the fonts of the system. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --text: #1b1f24; --soft: #57606a; --page: #ffffff; --panel: #f5f7f9; --line: #d8dee4; --link: #0a58ca; }
@media (prefers-color-scheme: dark) {
  :root { --text: #dde3ea; --soft: #97a1ad; --page: #14171b; --panel: #1e2329; --line: #343b44; --link: #7cb3ff; }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--text); font: 1rem/1.6 system-ui, -apple-system, 'Segoe UI', sans-serif; overflow-wrap: break-word; }
a { color: var(--link); text-underline-offset: 0.15em; }
a:focus-visible, pre:focus-visible, .wide:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
header { display: flex; flex-wrap: wrap; gap: 0.25rem 1.5rem; padding: 0.75rem max(1rem, calc((100% - 72rem) / 2 + 1rem)); border-bottom: 1px solid var(--line); }
header a { text-decoration: none; }
header > a { font-weight: 600; color: var(--text); }
header nav { display: flex; gap: 1rem; }
.columns { display: block; max-width: 72rem; margin: 0 auto; padding: 0 1rem; }
aside { margin: 1rem 0 0; font-size: 0.9375rem; }
aside ul { display: flex; flex-wrap: wrap; gap: 0 1rem; list-style: none; margin: 0; padding: 0; }
aside li { padding: 0.15rem 0; }
aside li ul { display: none; }
aside li ul a { color: var(--soft); }
aside a { text-decoration: none; }
aside a[aria-current] { font-weight: 600; color: var(--text); }
aside a:hover, header a:hover { text-decoration: underline; }
main { min-width: 0; max-width: 54rem; padding-bottom: 4rem; }
main > p, main > ul, main > ol { max-width: 46rem; }
h1 { font-size: 1.875rem; line-height: 1.25; margin: 1.5rem 0 1rem; }
h2 { font-size: 1.375rem; line-height: 1.3; margin: 2.5rem 0 0.75rem; padding-top: 0.5rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.125rem; margin: 1.75rem 0 0.5rem; }
p, ul, ol, pre, .wide { margin: 0 0 1rem; }
main ul, main ol { padding-left: 1.4rem; }
main li { margin: 0.3rem 0; }
code { font: 0.875em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; background: var(--panel); border-radius: 4px; padding: 0.1em 0.3em; }
pre { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: 0.75rem 1rem; overflow-x: auto; tab-size: 4; font: 0.8125rem/1.55 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
pre code { font: inherit; background: none; padding: 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.9375rem; }
th, td { border-bottom: 1px solid var(--line); padding: 0.45rem 0.9rem 0.45rem 0; text-align: left; vertical-align: top; }
td { min-width: 6rem; overflow-wrap: normal; }
td:first-child code { white-space: nowrap; }
@media (min-width: 60rem) {
  .columns.with-aside { display: grid; grid-template-columns: 15rem minmax(0, 1fr); gap: 3rem; }
  aside ul, aside li ul { display: block; }
  aside li ul { padding-left: 0.75rem; border-left: 2px solid var(--line); }
  aside { position: sticky; top: 0; max-height: 100vh; overflow-y: auto; align-self: start; padding: 1.75rem 0; margin: 0; }
}
@media print { aside, header nav { display: none; } }
`
