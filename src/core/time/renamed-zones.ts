/**
 * Places that IANA spells differently from the runtime: [the runtime's name, IANA's name]. CLDR, and so V8, keeps the first name that
 * a zone ever had. Both spellings are accepted: people write the one, browsers report the other. The build test compares this list
 * with the `zone.tab` of the tzdata release that the runtime carries.
 */
export const RENAMED_ZONES: readonly (readonly [string, string])[] = [
  ["America/Buenos_Aires", "America/Argentina/Buenos_Aires"],
  ["America/Cordoba", "America/Argentina/Cordoba"],
  ["America/Jujuy", "America/Argentina/Jujuy"],
  ["America/Catamarca", "America/Argentina/Catamarca"],
  ["America/Mendoza", "America/Argentina/Mendoza"],
  ["America/Coral_Harbour", "America/Atikokan"],
  ["America/Godthab", "America/Nuuk"],
  ["America/Indianapolis", "America/Indiana/Indianapolis"],
  ["America/Louisville", "America/Kentucky/Louisville"],
  ["Africa/Asmera", "Africa/Asmara"],
  ["Asia/Calcutta", "Asia/Kolkata"],
  ["Asia/Katmandu", "Asia/Kathmandu"],
  ["Asia/Rangoon", "Asia/Yangon"],
  ["Asia/Saigon", "Asia/Ho_Chi_Minh"],
  ["Atlantic/Faeroe", "Atlantic/Faroe"],
  ["Europe/Kiev", "Europe/Kyiv"],
  ["Pacific/Enderbury", "Pacific/Kanton"],
  ["Pacific/Ponape", "Pacific/Pohnpei"],
  ["Pacific/Truk", "Pacific/Chuuk"],
];
