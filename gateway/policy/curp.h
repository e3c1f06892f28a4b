/*
 * curp - the form and the check digit of a CURP. It reveals birth date, sex and birthplace: never
 * a key, a URL, a file name or a log field.
 *
 * 18 characters: 4 letters of the name, AAMMDD, sex (H, M, X), state (two letters), 3 consonants,
 * homoclave (0-9 born before 2000, A-Z after), check digit. Alphabet 0-9A-NÑO-Z in UTF-8; sum of
 * value × (18 - i) for i = 0..16; digit = (10 - sum mod 10) mod 10. Pure; any thread.
 */
#ifndef POLICY_CURP_H
#define POLICY_CURP_H

enum curp_verdict {
    CURP_GOOD,
    CURP_MALFORMED,   /* length, alphabet, date, sex or state */
    CURP_WRONG_DIGIT, /* well formed, but somebody mistyped it */
};

enum curp_verdict curp_check(const char *text);

#endif
