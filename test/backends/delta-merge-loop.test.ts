import { contractSuite } from './contract.ts'

contractSuite('delta/merge-loop')
