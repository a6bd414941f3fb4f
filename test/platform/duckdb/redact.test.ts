import { describe, expect, test } from 'vitest'
import { redact } from '../../../platform/duckdb/redact.ts'

describe('redact', () => {
  test('a known secret never shows, wherever it stands', () => {
    expect(redact('failed for tiger: key tiger-2', ['tiger', 'tiger-2'])).toBe('failed for ***: key ***')
  })

  test('the password of a connection string is removed even when it is not known', () => {
    expect(redact(`host='h' password='it''s' dbname=d`, [])).toBe(`host='h' password=*** dbname=d`)
  })

  test('the fields of a CREATE SECRET statement are removed', () => {
    expect(redact(`(TYPE s3, KEY_ID 'a', SECRET 'b', REGION 'r')`, [])).toBe(
      `(TYPE s3, KEY_ID ***, SECRET ***, REGION 'r')`,
    )
  })

  test('a message about a password keeps its words', () => {
    const message = 'password authentication failed for user "u"'
    expect(redact(message, [''])).toBe(message)
  })
})
