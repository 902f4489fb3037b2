import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { refusals } from '../routes/refusals.ts'

const DESCRIPTION = `One server speaks HTTP for models, updates and everything that may be read, and Socket.IO for the small messages of
the protocol \`fedweave/v1\`. Every refusal has the body \`{"error":{"code","message","cure"}}\`.`

/** Writes down the routes that are registered from now on, as OpenAPI 3.1 at `/v1/openapi.json` and as a page at `/docs`. */
export async function openApi(app: FastifyInstance, title: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title, description: DESCRIPTION, version: 'v1', license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
      servers: [{ url: '/' }],
      tags: [
        { name: 'tasks', description: 'What tasks there are, where they stand, and their public journals.' },
        { name: 'taking part', description: 'What clients do over HTTP.' },
        { name: 'operate', description: "With the operator's API key or JWT." },
        { name: 'operation', description: 'For whoever keeps the server running.' },
      ],
      components: {
        securitySchemes: {
          operator: { type: 'http', scheme: 'bearer', description: "The operator's API key, or its JWT." },
          session: { type: 'http', scheme: 'bearer', description: 'The token of a live session, from `welcome`.' },
        },
      },
    },
  })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    // Only what the page brings along: nothing from elsewhere, and no script that is not a file of its own.
    staticCSP: {
      'default-src': "'none'",
      'script-src': "'self'",
      'style-src': "'self' 'unsafe-inline'",
      'img-src': "'self' data:",
      'connect-src': "'self'",
      'frame-ancestors': "'none'",
      'base-uri': "'none'",
      'form-action': "'none'",
    },
    theme: { title: 'Fedweave API' },
    uiConfig: { validatorUrl: null, deepLinking: true, layout: 'BaseLayout' },
  })
  const schema = {
    tags: ['operation'],
    summary: 'This document',
    response: { 200: Type.Unknown({ description: 'OpenAPI 3.1.' }), ...refusals() },
  }
  app.get('/v1/openapi.json', { schema }, async () => app.swagger())
}
