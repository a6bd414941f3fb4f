/** All that a source of one's own needs; `docs/writing-a-source.md` explains it. */
export { z } from 'zod'
export { CONTRACT, runCheck } from './contract/contract.ts'
export { ContractSubject } from './contract/subject.ts'
export type { Exchange } from './exchange.ts'
export { PageFill } from './page-fill.ts'
export { rowBytes } from './row-bytes.ts'
export {
  type Cursor,
  DecimalText,
  type ErrorRule,
  type JsonValue,
  type Page,
  type ReadRequest,
  type Row,
  type Source,
  type SourceDefinition,
  type SourceTable,
} from './source.ts'
