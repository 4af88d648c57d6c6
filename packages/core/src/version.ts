/** Version of Holdfast, for manifests. A test keeps it equal to package.json. */
export const holdfastVersion = '0.1.0'
