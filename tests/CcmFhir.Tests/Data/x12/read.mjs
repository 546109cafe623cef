// Reads an X12 interchange with a parser that we did not write, in its strict mode (control numbers and counts are checked), and prints
// its segments as JSON. argv: folder of node_modules, file.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import path from 'node:path';

const [modules, file] = process.argv.slice(2);
const { X12Parser } = createRequire(path.join(modules, 'x.js'))('node-x12');
const interchange = new X12Parser(true).parse(readFileSync(file, 'utf8'));
const segment = (one) => [one.tag, ...one.elements.map((element) => element.value)];
console.log(
  JSON.stringify({
    header: segment(interchange.header),
    groups: interchange.functionalGroups.map((group) => ({
      header: segment(group.header),
      sets: group.transactions.map((set) => ({ header: segment(set.header), segments: set.segments.map(segment) })),
    })),
  }),
);
