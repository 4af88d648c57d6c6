import type { ServerResponse } from 'node:http'
import { objects } from '#bench/s3-sink/objects'

const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

export function answerXml(response: ServerResponse, body: string, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/xml' })
  response.end(`<?xml version="1.0" encoding="UTF-8"?>${body}`)
}

export function answerError(response: ServerResponse, status: number, code: string): void {
  answerXml(response, `<Error><Code>${code}</Code><Message>${code}</Message></Error>`, status)
}

/** One page is all: the benchmark never keeps a thousand objects. */
export function answerList(bucket: string, query: URLSearchParams, response: ServerResponse): void {
  const prefix = query.get('prefix') ?? ''
  const delimiter = query.get('delimiter') ?? ''
  const after = query.get('continuation-token') ?? query.get('start-after') ?? query.get('marker') ?? ''
  const folders = new Set<string>()
  const contents: string[] = []
  for (const [path, { size, etag, modified }] of [...objects].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const key = path.slice(bucket.length + 1)
    if (!path.startsWith(`${bucket}/${prefix}`) || key <= after) continue
    const cut = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length)
    if (cut !== -1) folders.add(key.slice(0, cut + delimiter.length))
    else
      contents.push(
        `<Contents><Key>${escapeXml(key)}</Key><Size>${size}</Size><ETag>${etag}</ETag>` +
          `<LastModified>${modified.toISOString()}</LastModified></Contents>`,
      )
  }
  const prefixes = [...folders].map((name) => `<CommonPrefixes><Prefix>${escapeXml(name)}</Prefix></CommonPrefixes>`)
  const all = contents.join('') + prefixes.join('')
  answerXml(
    response,
    `<ListBucketResult><Name>${bucket}</Name><IsTruncated>false</IsTruncated>${all}</ListBucketResult>`,
  )
}
