import { contractSuite } from './contract.ts'

contractSuite('delta/deltalite')
