import { contractSuite } from './contract.ts'

contractSuite('ducklake/merge')
