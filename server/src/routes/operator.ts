/** Marks a route's schema: it takes the operator's API key or JWT as `Authorization: Bearer`. */
export const OPERATOR = { security: [{ operator: [] as string[] }] }
