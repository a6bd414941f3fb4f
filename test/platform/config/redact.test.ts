import { expect, it } from 'vitest'
import { redact, redactText } from '../../../platform/config/redact.ts'

it('blanks secret keys at any depth, whatever their case, and leaves the rest', () => {
  const value = {
    s3: [{ url: 'http://a', secretAccessKey: 'x1', AccessKeyId: 'x2' }],
    password: 'x3',
    port: 1,
    none: null,
  }
  expect(redact(value)).toEqual({
    s3: [{ url: 'http://a', secretAccessKey: '[redacted]', AccessKeyId: '[redacted]' }],
    password: '[redacted]',
    port: 1,
    none: null,
  })
})

it.each([
  ['postgresql://user:hush@db:5432/lake', 'postgresql://user:[redacted]@db:5432/lake'],
  ["host=db password='hush hush' dbname=lake", 'host=db password=[redacted] dbname=lake'],
  ['https://b/k?X-Amz-Signature=hush&x=1', 'https://b/k?X-Amz-Signature=[redacted]&x=1'],
  ['http://127.0.0.1:9000/bucket', 'http://127.0.0.1:9000/bucket'],
])('blanks the secret within %s', (text, expected) => {
  expect(redactText(text)).toBe(expected)
})
