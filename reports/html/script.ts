/**
 * The page's own script, as text: it runs in a browser and not here. It turns each chart of the embedded data into a
 * Chart.js configuration, resolves the CSS variables of the colour scheme, and draws again when the scheme changes or
 * the page is printed.
 */
export const PAGE_SCRIPT = String.raw`'use strict'
const charts = JSON.parse(document.getElementById('charts').textContent)
const NOTE_FONT = '12px system-ui, sans-serif'
const drawn = new Map()
const specs = new Map(charts.map((spec) => [spec.id, spec.kind === 'lines' ? spec : { ...spec, reach: reachOf(spec) }]))
const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()

const annotations = {
  id: 'annotations',
  afterDatasetsDraw(chart) {
    const { ctx, chartArea, scales } = chart
    const spec = specs.get(chart.canvas.id)
    ctx.save()
    ctx.font = NOTE_FONT
    ctx.textBaseline = 'middle'
    if (spec.limit && spec.limit.value <= scales.x.max) drawLimit(chart, spec.limit)
    ctx.lineWidth = 4
    ctx.lineJoin = 'round'
    ctx.strokeStyle = color('--surface')
    spec.arms.forEach((arm, row) => {
      const text = noteOf(spec, row)
      const start = barless(spec, row) ? 0 : scales.x.getPixelForValue(spec.reach[row]) + 8
      const end = chart.width - 4 - ctx.measureText(text).width
      const at = [Math.max(chartArea.left + 8, Math.min(start, end)), scales.y.getPixelForValue(row)]
      ctx.strokeText(text, ...at)
      ctx.fillStyle = color(spec.failed[row] ? '--bad' : '--text')
      ctx.fillText(text, ...at)
    })
    ctx.restore()
  },
}

const noteOf = (spec, row) => (spec.failed[row] ? '\u2715 ' : '') + spec.notes[row]

const barless = (spec, row) => spec.series.every((series) => series.kind !== 'bars' || series.values[row] === null)

function drawLimit({ ctx, chartArea, scales, width }, limit) {
  const x = scales.x.getPixelForValue(limit.value)
  const right = x > width / 2
  ctx.strokeStyle = ctx.fillStyle = color('--bad')
  ctx.save()
  ctx.setLineDash([5, 4])
  ctx.beginPath()
  ctx.moveTo(x, chartArea.top)
  ctx.lineTo(x, chartArea.bottom)
  ctx.stroke()
  ctx.restore()
  ctx.textAlign = right ? 'right' : 'left'
  ctx.fillText(limit.label, x + (right ? -6 : 6), chartArea.top - 8)
  ctx.textAlign = 'left'
}

/** The end of the axis that leaves room for the note behind each bar. */
function axisEnd(canvas, spec) {
  const ctx = canvas.getContext('2d')
  ctx.font = NOTE_FONT
  const labels = Math.max(...spec.arms.map((arm) => ctx.measureText(arm).width))
  const plot = Math.max(canvas.parentElement.clientWidth - labels - 40, 100)
  const ends = spec.arms.map((arm, row) => {
    if (barless(spec, row)) return spec.reach[row]
    const free = Math.max(plot - ctx.measureText(noteOf(spec, row)).width - 16, plot / 3)
    return (spec.reach[row] * plot) / free
  })
  const limit = spec.limit && spec.limit.value <= 2 * Math.max(...spec.reach) ? 1.04 * spec.limit.value : 0
  return Math.max(limit, ...ends)
}

function datasetOf(series, spec) {
  if (series.kind === 'bars') {
    return {
      type: 'bar',
      label: series.label,
      data: series.values,
      backgroundColor: series.colors.map(color),
      stack: spec.stacked ? 'one' : undefined,
      barPercentage: 0.8,
      categoryPercentage: 0.82,
      order: 2,
    }
  }
  const cross = series.kind === 'crosses'
  return {
    type: 'scatter',
    label: series.label,
    data: series.points.map((point) => ({ x: point.value, y: point.arm })),
    pointStyle: cross ? 'crossRot' : 'circle',
    pointRadius: cross ? 7 : 3.5,
    pointBackgroundColor: color('--point'),
    pointBorderColor: cross ? color('--bad') : color('--surface'),
    pointBorderWidth: cross ? 2.5 : 1,
    order: 1,
  }
}

function reachOf(spec) {
  return spec.arms.map((arm, row) => {
    const bars = spec.series.filter((series) => series.kind === 'bars').map((series) => series.values[row] ?? 0)
    const bar = spec.stacked ? bars.reduce((sum, value) => sum + value, 0) : Math.max(0, ...bars)
    const points = spec.series.flatMap((series) => series.points ?? []).filter((point) => point.arm === arm)
    return Math.max(bar, ...points.map((point) => point.value))
  })
}

/** Charts without a size, as in a folded part, are drawn when they come into view. */
function draw(spec) {
  const canvas = document.getElementById(spec.id)
  drawn.get(spec.id)?.destroy()
  drawn.delete(spec.id)
  if (!canvas.checkVisibility()) return
  if (spec.kind === 'lines') drawLines(canvas, spec)
  else drawArms(canvas, spec)
}

/** Names of the marks beside them, moved down where they would lie over one another. */
const labels = {
  id: 'labels',
  afterDatasetsDraw(chart) {
    const { ctx, chartArea } = chart
    ctx.save()
    ctx.font = NOTE_FONT
    ctx.textBaseline = 'middle'
    ctx.lineWidth = 4
    ctx.lineJoin = 'round'
    ctx.strokeStyle = color('--surface')
    ctx.fillStyle = color('--text')
    const written = []
    const marks = chart.data.datasets.map((dataset, index) => ({ text: dataset.label, mark: chart.getDatasetMeta(index).data[0] }))
    for (const { text, mark } of marks.sort((a, b) => a.mark.y - b.mark.y)) {
      const wide = ctx.measureText(text).width
      const left = mark.x + 12 + wide > chartArea.right ? Math.max(chartArea.left, mark.x - 12 - wide) : mark.x + 12
      const near = written.filter((other) => left < other.right && other.left < left + wide)
      const y = near.reduce((free, other) => (Math.abs(free - other.y) < 14 ? other.y + 14 : free), mark.y)
      written.push({ left, right: left + wide, y })
      ctx.strokeText(text, left, y)
      ctx.fillText(text, left, y)
    }
    ctx.restore()
  },
}

const flagsOf = (spec) => spec.flags ?? []

/** Arms with something that has no figure, which is drawn in a lane of each arm, above the plot. */
const lanesOf = (spec) => flagsOf(spec).filter((flag) => flag.points.some((point) => point.y === null)).map((flag) => flag.arm)

function flagDatasets(spec) {
  const lanes = lanesOf(spec)
  return flagsOf(spec).filter((flag) => flag.points.length > 0).map((flag) => {
    return {
      label: flag.arm + ' ' + flag.kind,
      data: flag.points.map(({ x, y, note }) => ({ x, y: y ?? flag.arm, note })),
      yAxisID: lanes.includes(flag.arm) ? 'lanes' : 'y',
      order: -1,
      clip: false,
      backgroundColor: color(flag.color),
      borderColor: color(flag.color),
      borderWidth: 3,
      pointStyle: flag.kind === 'failed' ? 'crossRot' : 'triangle',
      pointRadius: 8,
    }
  })
}

const momentsOf = (spec) => [...new Set(spec.lines.flatMap((line) => line.points.map(([x]) => x)))].sort((a, b) => a - b)

/** To the day, or to the minute where all is within two days. */
function dateOf(spec) {
  const moments = momentsOf(spec)
  const end = Math.max(...moments) - Math.min(...moments) > 172800000 ? 10 : 16
  return (moment) => new Date(moment).toISOString().slice(0, end).replace('T', ' ')
}

/** Some of the runs, evenly: a round number of milliseconds would be any time of a day. */
function runTicks(spec) {
  const moments = momentsOf(spec)
  const every = Math.ceil(moments.length / 5)
  return moments.filter((_, index) => index % every === 0).map((value) => ({ value }))
}

function scalesOf(spec) {
  const scale = (text, logarithmic) => ({
    type: logarithmic ? 'logarithmic' : 'linear',
    beginAtZero: !logarithmic,
    grace: spec.marked ? '8%' : 0,
    grid: { color: color('--grid') },
    ticks: { color: color('--muted'), maxTicksLimit: 8 },
    title: { display: true, text, color: color('--muted') },
  })
  const x = scale(spec.xAxis, spec.logarithmic.x)
  const dated = { ...x, beginAtZero: false, bounds: 'data', ticks: { ...x.ticks, callback: dateOf(spec) }, afterBuildTicks: (axis) => { axis.ticks = runTicks(spec) } }
  const scales = { x: spec.dated ? dated : x, y: { ...scale(spec.yAxis, spec.logarithmic.y), stack: 'y', stackWeight: 12 } }
  const lanes = lanesOf(spec)
  if (lanes.length === 0) return scales
  const ticks = { color: color('--bad'), autoSkip: false, callback: () => '\u2715' }
  return { ...scales, lanes: { axis: 'y', type: 'category', labels: lanes, offset: true, stack: 'y', stackWeight: lanes.length, grid: { color: color('--grid') }, ticks } }
}

function saysOf(spec) {
  const placed = (x) => (spec.dated ? dateOf(spec)(x) : x)
  return { label: ({ dataset, raw }) => dataset.label + (raw.note === undefined ? ': (' + placed(raw.x) + ', ' + raw.y + ')' : ' ' + raw.note) }
}

function drawLines(canvas, spec) {
  const named = spec.marked && canvas.parentElement.clientWidth >= 560
  drawn.set(spec.id, new Chart(canvas, {
    type: 'scatter',
    data: {
      datasets: [...spec.lines.map((line) => ({
        label: line.label,
        data: line.points.map(([x, y]) => ({ x, y })),
        showLine: true,
        clip: false,
        borderColor: color(line.color),
        backgroundColor: color(line.color),
        borderWidth: 2,
        pointStyle: line.arm.startsWith('ducklake/') ? 'circle' : 'rectRot',
        pointRadius: spec.marked ? 8 : line.points.length > 30 ? 0 : 4,
      })), ...flagDatasets(spec)],
    },
    options: {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      scales: scalesOf(spec),
      plugins: { tooltip: { callbacks: saysOf(spec) }, legend: { display: !named, position: 'bottom', labels: { color: color('--text'), usePointStyle: true, boxHeight: 8 } } },
    },
    plugins: named ? [labels] : [],
  }))
}

function drawArms(canvas, spec) {
  const grid = { color: color('--grid') }
  const ticks = { color: color('--muted') }
  drawn.set(spec.id, new Chart(canvas, {
    type: 'bar',
    data: { labels: spec.arms, datasets: spec.series.filter((series) => series.kind === 'bars' || series.points.length > 0).map((series) => datasetOf(series, spec)) },
    options: {
      indexAxis: 'y',
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      layout: { padding: { right: 12, top: spec.limit ? 16 : 0 } },
      scales: {
        x: { type: 'linear', beginAtZero: true, stacked: spec.stacked, grid, ticks: { ...ticks, maxTicksLimit: 7 }, suggestedMax: axisEnd(canvas, spec), title: { display: true, text: spec.axis, color: color('--muted') } },
        y: { type: 'category', stacked: spec.stacked, grid: { display: false }, ticks: { color: color('--text'), autoSkip: false } },
      },
      plugins: { legend: { position: 'bottom', labels: { color: color('--text'), usePointStyle: true, boxHeight: 8, generateLabels: legendOf } } },
    },
    plugins: [annotations],
  }))
}

function legendOf(chart) {
  return Chart.defaults.plugins.legend.labels.generateLabels(chart).map((item) => {
    const dataset = chart.data.datasets[item.datasetIndex]
    const mixed = dataset.type === 'bar' && new Set(dataset.backgroundColor).size > 1
    return { ...item, pointStyle: dataset.type === 'bar' ? 'rect' : dataset.pointStyle, ...(mixed ? { fillStyle: color('--muted') } : {}), lineWidth: dataset.type === 'bar' ? 0 : item.lineWidth }
  })
}

function drawAll() {
  for (const spec of specs.values()) draw(spec)
}

/** Those that were drawn; the others come when they are looked at. */
function redraw() {
  for (const id of [...drawn.keys()]) draw(specs.get(id))
  for (const canvas of document.querySelectorAll('canvas')) {
    sight.unobserve(canvas)
    if (!drawn.has(canvas.id)) sight.observe(canvas)
  }
}

const sight = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) if (isIntersecting && !drawn.has(target.id)) draw(specs.get(target.id))
}, { rootMargin: '600px' })

Chart.defaults.font.family = 'system-ui, sans-serif'
redraw()
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw)
addEventListener('beforeprint', () => {
  document.documentElement.classList.add('print')
  drawAll()
})
addEventListener('afterprint', () => {
  document.documentElement.classList.remove('print')
  drawAll()
})
document.getElementById('save').addEventListener('click', () => {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([document.getElementById('results').textContent], { type: 'application/json' }))
  link.download = 'results.json'
  link.click()
})
`
