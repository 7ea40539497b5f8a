/** Civil date of the last day asked for: timestamps cluster, so most questions are about the same day. */
export const civil = { day: Number.NaN, year: 0, month: 0, dayOfMonth: 0 };

/** Sets `civil` to the proleptic Gregorian date `days` after 1970-01-01. Integer arithmetic, no zone. */
export function setCivilDate(days: number): void {
  if (days === civil.day) return;
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  civil.dayOfMonth = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  civil.month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  civil.year = yearOfEra + era * 400 + (civil.month <= 2 ? 1 : 0);
  civil.day = days;
}
