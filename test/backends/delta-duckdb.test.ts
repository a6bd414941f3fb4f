import { contractSuite } from './contract.ts'

contractSuite('delta/duckdb')
