export { type ExitCode, exitCodes } from './exit-codes.js'
