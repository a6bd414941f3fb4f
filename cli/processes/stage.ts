import { serveStage } from '../../scenarios/processes/stage.ts'

await serveStage()
