export * from './faulty-proxy.js'
export * from './nasty-database.js'
export * from './postgres-server.js'
export * from './s3-server.js'
