export { type ShelfOptions, shelf, shelfPlugin } from './storage.js'
