import { expect, test } from 'vitest'
import { parsePrometheus } from '../../../scenarios/measure/prometheus.ts'

test('samples are read with their labels, exponents and escapes, and comments are not', () => {
  const text = `# HELP requests_total Requests
# TYPE requests_total counter
requests_total{name="GetObject",server="127.0.0.1:9000"} 5
traffic_bytes{path="a\\"b"} 1.3283454e+07

up 1 1395066363000
`
  expect(parsePrometheus(text)).toEqual([
    { metric: 'requests_total', labels: { name: 'GetObject', server: '127.0.0.1:9000' }, value: 5 },
    { metric: 'traffic_bytes', labels: { path: 'a\\"b' }, value: 13_283_454 },
    { metric: 'up', labels: {}, value: 1 },
  ])
})
