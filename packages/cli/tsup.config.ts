import { packageBuild } from '../../tsup.base.js'

export default packageBuild({ bin: 'src/bin.ts', index: 'src/index.ts' })
