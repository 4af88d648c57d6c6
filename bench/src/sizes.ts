/** Size of the database's dump by `pg_dump -Fc -Z0`, roughly. */
export type Size = '100MB' | '1GB' | '4GB'

/** How many times the rows of the smallest size. */
export const hundredsOfMB: Readonly<Record<Size, number>> = { '100MB': 1, '1GB': 10, '4GB': 40 }

/** All sizes, the smallest first. */
export const sizes: readonly Size[] = ['100MB', '1GB', '4GB']
