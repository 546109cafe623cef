// Drives a practice's FHIR server with two clients that we did not write. argv: folder of node_modules, base URL, client id, private key (PEM file), now (epoch seconds).
import { createRequire } from 'node:module';
import { createSign, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules, baseUrl, clientId, keyFile, now] = process.argv.slice(2);
const kit = await import(pathToFileURL(path.join(modules, 'fhir-kit-client', 'dist', 'index.js')));
const FhirKit = kit.default ?? kit.Client;
const require = createRequire(path.join(modules, 'x.js'));
const FHIR = require('fhirclient');
const seen = {};

// Discovery, then a token by private_key_jwt.
const anonymous = new FhirKit({ baseUrl });
const smart = await anonymous.smartAuthMetadata();
seen.tokenUrl = String(smart.tokenUrl);
seen.fhirVersion = (await anonymous.capabilityStatement()).fhirVersion;
seen.withoutToken = await anonymous.read({ resourceType: 'Patient', id: 'none' }).then(() => 200, (error) => error.response?.status);
const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const head = encode({ alg: 'RS384', typ: 'JWT', kid: 'k1' });
const claims = encode({ iss: clientId, sub: clientId, aud: seen.tokenUrl, jti: randomUUID(), iat: Number(now), exp: Number(now) + 120 });
const signature = createSign('RSA-SHA384').update(`${head}.${claims}`).sign(readFileSync(keyFile)).toString('base64url');
const answer = await fetch(seen.tokenUrl, {
  method: 'POST',
  body: new URLSearchParams({
    grant_type: 'client_credentials',
    scope: 'system/*.cruds',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: `${head}.${claims}.${signature}`,
  }),
});
const token = await answer.json();
seen.token = answer.status === 200 ? token.token_type : JSON.stringify(token);

// fhir-kit-client: transaction, search with paging, conditional update, patch, $validate, history, refusals.
const client = new FhirKit({ baseUrl, bearerToken: token.access_token });
const patient = `urn:uuid:${randomUUID()}`;
const observation = (number) => ({
  fullUrl: `urn:uuid:${randomUUID()}`,
  resource: { resourceType: 'Observation', status: 'final', code: { text: `n${number}` }, subject: { reference: patient } },
  request: { method: 'POST', url: 'Observation' },
});
const done = await client.transaction({
  body: {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [
      ...[1, 2, 3, 4, 5].map(observation),
      {
        fullUrl: patient,
        resource: {
          resourceType: 'Patient',
          identifier: [{ system: 'urn:mrn', value: 'node' }],
          name: [{ family: 'Node', given: ['Nia'] }],
          gender: 'female',
          birthDate: '1950-01-01',
        },
        request: { method: 'POST', url: 'Patient', ifNoneExist: 'identifier=urn:mrn|node' },
      },
    ],
  },
});
seen.transaction = done.entry.map((entry) => entry.response.status);
const id = done.entry[5].response.location.match(/Patient\/([^/]+)/)[1];
let page = await client.search({ resourceType: 'Observation', searchParams: { patient: `Patient/${id}`, _count: 2 } });
seen.pages = [];
while (page) {
  seen.pages.push(page.entry.length);
  page = page.link.some((link) => link.relation === 'next') ? await client.nextPage({ bundle: page }) : null;
}
const body = await client.read({ resourceType: 'Patient', id });
body.name[0].given = ['Changed'];
seen.conditionalUpdate = (await client.update({ resourceType: 'Patient', searchParams: { identifier: 'urn:mrn|node' }, body })).meta.versionId;
seen.patch = (await client.patch({ resourceType: 'Patient', id, jsonPatch: [{ op: 'replace', path: '/gender', value: 'other' }] })).gender;
seen.validate = (await client.operation({ name: '$validate', resourceType: 'Patient', input: await client.read({ resourceType: 'Patient', id }) })).resourceType;
seen.history = (await client.history({ resourceType: 'Patient', id })).entry.length;
seen.posted = (await client.search({ resourceType: 'Patient', searchParams: { identifier: 'urn:mrn|node' }, options: { postSearch: true } })).total;
seen.refused = await client
  .create({ resourceType: 'Patient', body: { resourceType: 'Observation' } })
  .then(() => 'created', (error) => error.response.data.issue[0].expression[0]);

// fhirclient (SMART's own): reads, searches over pages, resolves references.
const smartClient = new FHIR(
  { method: 'GET', url: '/', headers: {}, session: {} },
  { writeHead() {}, end() {} },
).client({ serverUrl: baseUrl, tokenResponse: { access_token: token.access_token, patient: id } });
seen.smartPatient = (await smartClient.patient.read()).name[0].family;
const all = await smartClient.request(`Observation?patient=${id}&_count=2`, { pageLimit: 0, flat: true, resolveReferences: ['subject'] });
seen.smartObservations = all.length;
seen.smartResolved = all[0].subject.resourceType;
console.log(JSON.stringify(seen));
