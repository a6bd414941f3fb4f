/**
 * The part of the page's script, as text, that shows what the filters leave: rows, folded parts and scenarios by their
 * data attributes, arms within charts. The state is in the address, so that a link leads to the same view.
 */
export const FILTER_SCRIPT = String.raw`
const filters = document.getElementById('filters')
const places = JSON.parse(document.getElementById('places').textContent)

function chosenFilters() {
  const boxes = (name) => [...filters.querySelectorAll('input[name="' + name + '"]')]
  const shown = (name) => new Set(boxes(name).filter((box) => box.checked).map((box) => box.value))
  const all = (name) => boxes(name).every((box) => box.checked)
  const axes = [...filters.querySelectorAll('select')].filter((select) => select.value !== '').map((select) => [select.name.slice(5), select.value])
  return {
    arm: (arm) => all('arm') || shown('arm').has(arm),
    scenario: (name) => all('scenario') || shown('scenario').has(name),
    at: (label) => axes.every(([axis, value]) => places[label]?.[axis] === undefined || String(places[label][axis]) === value),
    along: (axis, x) => axes.every(([name, value]) => name !== axis || String(x) === value),
    address: new URLSearchParams([...['scenario', 'arm'].flatMap((name) => all(name) ? [] : [...shown(name)].map((value) => [name, value])), ...axes.map(([axis, value]) => ['axis.' + axis, value])]).toString(),
  }
}

function filtered(spec, chosen) {
  const shows = chosen.arm
  if (spec.kind === 'lines') {
    const along = (x) => spec.along === undefined || spec.along.axis === null || chosen.along(spec.along.axis, x)
    return {
      ...spec,
      lines: spec.lines.filter((line) => shows(line.arm)).map((line) => ({ ...line, points: line.points.filter(([x]) => along(x)) })),
      flags: flagsOf(spec).filter((flag) => shows(flag.arm)).map((flag) => ({ ...flag, points: flag.points.filter(({ x }) => along(x)) })),
    }
  }
  const pick = (list) => list.filter((_, row) => shows(spec.arms[row]))
  const series = spec.series.map((one) => one.kind === 'bars'
    ? { ...one, values: pick(one.values), colors: pick(one.colors) }
    : { ...one, points: one.points.filter((point) => shows(point.arm)) })
  const left = { ...spec, arms: pick(spec.arms), notes: pick(spec.notes), failed: pick(spec.failed), series }
  return { ...left, reach: reachOf(left) }
}

function hideUnchosen(root, chosen) {
  for (const part of root.querySelectorAll('[data-scenario], [data-arm], [data-at]')) {
    const { scenario, arm, at } = part.dataset
    part.hidden = !((scenario === undefined || chosen.scenario(scenario)) && (arm === undefined || chosen.arm(arm)) && (at === undefined || chosen.at(at)))
  }
}

function applyFilters() {
  const chosen = chosenFilters()
  hideUnchosen(document, chosen)
  for (const spec of charts) specs.set(spec.id, filtered(spec, chosen))
  redraw()
  history.replaceState(null, '', chosen.address === '' ? location.pathname + location.search : '#' + chosen.address)
}

function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1))
  for (const box of filters.querySelectorAll('input')) box.checked = !given.has(box.name) || given.getAll(box.name).includes(box.value)
  for (const select of filters.querySelectorAll('select')) {
    const value = given.get(select.name) ?? ''
    select.value = [...select.options].some((option) => option.value === value) ? value : ''
  }
  if (location.hash !== '') document.getElementById('filter-part').open = true
  applyFilters()
}

if (filters) {
  filters.addEventListener('change', applyFilters)
  filters.addEventListener('submit', (event) => event.preventDefault())
  filters.addEventListener('reset', () => setTimeout(applyFilters))
  addEventListener('hashchange', readAddress)
  if (location.hash !== '') readAddress()
}

/** Long tables are text until they are opened, so that the page opens at once. */
for (const part of document.querySelectorAll('details.late')) {
  part.addEventListener('toggle', () => {
    const text = part.querySelector('script')
    if (text === null) return
    part.insertAdjacentHTML('beforeend', text.textContent)
    text.remove()
    if (filters) hideUnchosen(part, chosenFilters())
  })
}
`
