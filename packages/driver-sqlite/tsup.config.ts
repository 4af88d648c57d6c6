import { packageBuild } from '../../tsup.base.js'

export default packageBuild({ index: 'src/index.ts', 'program/main': 'src/program/main.ts' })
