import { registerHooks } from 'node:module'

// Node runs the sources as they are; only `.js` in an import of theirs means the `.ts` beside it.
registerHooks({
  resolve(name, context, next) {
    const isOurs = name.startsWith('.') && context.parentURL?.endsWith('.ts')
    return next(isOurs ? name.replace(/\.js$/, '.ts') : name, context)
  },
})
