import { z } from 'zod'
import { formatOf } from '../../backends/backend.ts'
import { openReader, relationOf } from '../../backends/reader.ts'
import { checkContent } from '../oracle/check.ts'
import { readerRequestSchema } from './protocol.ts'
import { serve } from './serve.ts'

const anyRowSchema = z.record(z.string(), z.unknown())

/** The reader process: attaching is its floor, from `go` to `done` one query is timed, then the content is checked. */
export function serveReader(): Promise<void> {
  return serve(readerRequestSchema, async (request, channel) => {
    const { environment, table, query } = request
    const format = formatOf(request.arm)
    await using session = await openReader(format, environment)
    const relation = union(
      [table.name, ...request.unionWith].map((name) => relationOf(format, environment, name)),
    )
    await channel.emit({ event: 'ready', processes: { reader: process.pid }, settings: {}, versions: {} })
    await channel.waitFor('go')
    const start = performance.now()
    await session.query(anyRowSchema, `${query.beforeRelation}${relation}${query.afterRelation}`)
    await channel.emit({ event: 'done', wallMs: performance.now() - start })
    if (request.expectation !== null) {
      await channel.emit(await checkContent(session, table, relation, request.expectation))
    }
    await channel.waitFor('exit')
  })
}

function union(relations: readonly string[]): string {
  const [first = '', ...others] = relations
  return others.length === 0 ? first : `(${relations.map((one) => `FROM ${one}`).join(' UNION ALL ')})`
}
