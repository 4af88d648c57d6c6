export { type JsonLinesOptions, jsonLines, jsonLinesPlugin } from './driver.js'
