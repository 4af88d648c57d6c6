import type * as z from 'zod'

/** Names of the settings that a schema knows at a path, of every shape that it may have there. */
export function settingNames(schema: z.core.$ZodType, path: readonly PropertyKey[] = []): readonly string[] {
  const { def } = (schema as z.core.$ZodTypes)._zod
  const [key, ...rest] = path
  switch (def.type) {
    case 'optional':
    case 'default':
      return settingNames(def.innerType, path)
    case 'pipe':
      return settingNames(def.in, path)
    case 'union':
      return def.options.flatMap((option) => settingNames(option, path))
    case 'array':
      return key === undefined ? [] : settingNames(def.element, rest)
    case 'record':
      return key === undefined ? [] : settingNames(def.valueType, rest)
    case 'object': {
      if (key === undefined) return Object.keys(def.shape)
      const inner = def.shape[String(key)]
      return inner ? settingNames(inner, rest) : []
    }
    default:
      return []
  }
}
