// A year counted from the log's records: each message once, whichever of its records came first. Pure.

const OPENINGS = new Set(["Referral", "MeasureRequest", "SupportRequest"]);

/** What a record is dated by: when it happened, as its sender says; else when it was logged, in Mexico City. */
export const yearOf = (record) => Number(record.occurred_on ? record.occurred_on.slice(0, 4)
  : new Date((record.time - 6 * 3600) * 1000).getUTCFullYear());

export class Figures {
  constructor(codes, year) {
    Object.assign(this, { codes, year, seen: new Set(), units: new Map(), refused: 0, openings: new Map(), decided: new Map(), inForce: new Map() });
  }

  take(record) {
    if (record.kind === "refused") this.refused += yearOf(record) === this.year;
    if (!["sent", "received"].includes(record.kind) || this.seen.has(record.message_id)) return;
    this.seen.add(record.message_id);
    if (OPENINGS.has(record.type)) this.openings.set(record.exchange_id, record);
    if (record.type === "Act" && ["accept", "decline"].includes(record.event)) this.first(this.decided, record);
    if (record.type === "Act" && record.event === "in-force") this.first(this.inForce, record);
    if (yearOf(record) === this.year) this.countUnit(record);
  }

  first(map, record) {
    const before = map.get(record.exchange_id);
    if (before === undefined || record.time < before) map.set(record.exchange_id, record.time);
  }

  // A unit of the public report: an action reported, a referral, a support.
  countUnit(record) {
    if (!["StatusReport", "Referral", "SupportRequest"].includes(record.type)) return;
    const name = this.codes[record.catalogue_code]?.class ?? "sin código";
    this.units.set(name, (this.units.get(name) ?? 0) + 1);
  }

  /** [{agency, asked, r3: [seconds], r4: [seconds]}], by agency. */
  agencies() {
    const rows = new Map();
    for (const [id, opening] of this.openings) {
      if (yearOf(opening) !== this.year) continue;
      const row = rows.get(opening.to) ?? { agency: opening.to, asked: 0, r3: [], r4: [] };
      row.asked += 1;
      if (this.decided.has(id)) row.r3.push(this.decided.get(id) - opening.time);
      if (this.inForce.has(id)) row.r4.push(this.inForce.get(id) - opening.time);
      rows.set(opening.to, row);
    }
    return [...rows.values()].sort((a, b) => b.asked - a.asked);
  }
}

/** The share p of the values lies at or below it (nearest rank). */
export function percentile(values, p) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)];
}
