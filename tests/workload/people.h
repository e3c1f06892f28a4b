/*
 * people - the 165 cases of 2019, with synthetic persons.
 *
 * Nobody here exists. Names say so ("Persona Sintética 017"), and so do CURPs: XXXX for the name,
 * NE for the place of birth, XXX for the consonants, a check digit that holds. A CURP reveals sex
 * and birth date, so only who has both in the report gets one: what the report leaves unsaid
 * ("no_especificado") is never invented.
 *
 * Marginals are those of the report. What it does not cross (sex by activity, by age) is drawn
 * from the seed; what it does not split (the 143 not incorporated into those attended here and
 * those of the federal mechanism) stands in one table of people.c, our choice.
 *
 * Pure; any thread.
 */
#ifndef WORKLOAD_PEOPLE_H
#define WORKLOAD_PEOPLE_H

#include <stdint.h>

#include "model/id.h"

#define PEOPLE_INCORPORATED 22
#define PEOPLE_REFERRED 50
#define PEOPLE_FEDERAL 93
#define PEOPLE_CASES (PEOPLE_INCORPORATED + PEOPLE_REFERRED + PEOPLE_FEDERAL)

enum people_group { GROUP_INCORPORATED, GROUP_REFERRED, GROUP_FEDERAL, GROUPS };

struct person {
    enum people_group group;
    char full_name[64];
    char curp[20];         /* "" when sex or age are unsaid */
    char birth_date[12];   /* "" when the age is unsaid */
    const char *sex;       /* "mujer", "hombre", "colectivo", "no_especificado" */
    const char *activity;  /* "defensora", "periodista", "colaboradora" */
    const char *age_range; /* "20-30" ... "51-60", "no_especificado" */
};

/* Cases 0..21 are incorporated, 22..71 referred, 72..164 federal. */
void people_make(uint64_t seed, struct person people[PEOPLE_CASES]);

/* 16 bytes that depend on nothing but their arguments: ids and pseudonyms of the workload. */
struct id people_id(uint64_t seed, const char *label, uint32_t first, uint32_t second);
/* 0..below-1, likewise. */
uint32_t people_draw(uint64_t seed, const char *label, uint32_t n, uint32_t below);

#endif
