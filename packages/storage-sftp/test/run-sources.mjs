// Lets a child process run the TypeScript sources, whose imports end in `.js`: node --import ./run-sources.mjs child.ts
import { registerHooks } from 'node:module'

registerHooks({
  resolve(specifier, context, next) {
    const isOurs = specifier.startsWith('.') && context.parentURL?.endsWith('.ts')
    return next(isOurs ? specifier.replace(/\.js$/, '.ts') : specifier, context)
  },
})
