import { registerHooks } from 'node:module'

// Node runs the sources as they are; only `.js` in an import means the `.ts` beside it.
registerHooks({
  resolve: (name, context, next) => next(/^\.+\//.test(name) ? name.replace(/\.js$/, '.ts') : name, context),
})
