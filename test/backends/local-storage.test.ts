import { ARMS } from '../../backends/backend.ts'
import { localContractSuite } from './contract.ts'

for (const arm of ARMS) localContractSuite(arm)
