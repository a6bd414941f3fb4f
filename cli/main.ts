#!/usr/bin/env node
// Most of a start is compiling: Node keeps what it compiled, here and, by the variable, in every process that is started from
// here. A static import would be compiled before this is said.
import { enableCompileCache } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

process.env['NODE_COMPILE_CACHE'] ??= join(tmpdir(), 'node-compile-cache')
enableCompileCache(process.env['NODE_COMPILE_CACHE'])
if (process.argv[2] === 'migrate') {
  const { restartWithAllocator } = await import('./allocator.ts')
  restartWithAllocator()
}
const { main } = await import('./program.ts')
process.exitCode = await main(process.argv)
