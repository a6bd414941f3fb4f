import { contractSuite } from './contract.ts'

contractSuite('ducklake/delete-insert')
