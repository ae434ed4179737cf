/* rules.h - the words an answer may hold, in tables: units and what they convert to, number words, closed groups of words,
 * names of functions. Whoever finds a word that is not understood adds it in rules.c, and a case to tests/answer/cases/.
 * It must not know how words are put together. */
#ifndef CORD_ANSWER_RULES_H
#define CORD_ANSWER_RULES_H

#include "answer/tree/tree.h"

/* ---- units --------------------------------------------------------------------------------------------------- */

enum dimension { LENGTH, MASS, TIME, ANGLE, MONEY, SCALE, DIMENSIONS };

/* What is measured: a product of powers of dimensions, with the factor to their base units (metre, kilogram, second,
 * degree, dollar, one) as a fraction. */
struct unit {
    const char *name; /* the singular: "meter", "cm" is "centimeter"; NULL ends a table */
    const char
        *words; /* its other spellings, "cm|centimeters|centimetre"; case counts where one is given in capitals */
    int power[DIMENSIONS];
    int64_t num, den;
    bool sign;   /* written as a sign ($, °): then a number without it that differs is another number */
    bool letter; /* its words of one letter may also be variables, those of two a product: 2mg */
};

/* The unit called `word`, a singular or plural, in small letters or as the table has it; NULL where it is none known. */
const struct unit *unit_find(cord_text word);
/* A word that changes what a number before it says ("plus", "squared", "binary"), and so is no unit, known or not. */
bool is_no_unit(cord_text word);
/* Two or three letters that are no known unit, and look rather like variables: "xy", "pqr". */
bool is_run_of_letters(cord_text word);
/* $ € £ and the like: the unit of a command that the lexer gives for them, or NULL. */
const struct unit *unit_of_sign(cord_text command);
/* Whether one converts into the other: they measure the same, and that is known. */
bool unit_converts(const struct unit *a, const struct unit *b);
/* left * right^power as a unit named `name`; false where it overflows. */
bool unit_multiply(struct unit *left, const struct unit *right, int power);

/* ---- words --------------------------------------------------------------------------------------------------- */

/* Groups of which two words are equal or different. */
enum word_group {
    GROUP_YES_NO,
    GROUP_TRUE_FALSE,
    GROUP_PARITY,
    GROUP_WEEKDAY,
    GROUP_MONTH,
    GROUP_UNDEFINED,
    GROUP_NONE
};

/* Whether all of `text` (in lower case, single spaces) is a word of a closed group: the group and the normal form. */
bool word_find(cord_text text, enum word_group *group, const char **normal);

/* The month that a word names, 1 to 12, or 0. */
int month_find(cord_text word);

/* The value of a number word: "seven" 7, "twenty" 20; and, in *scale, whether it multiplies what stands before it
 * ("hundred", "million"). False for other words. */
bool number_word(cord_text word, int64_t *value, bool *scale);
/* "half" 2, "third" 3, "quarters" 4: the denominator, or 0. */
int64_t denominator_word(cord_text word);

/* ---- functions ----------------------------------------------------------------------------------------------- */

/* The function of a name with or without its backslash: "sin", "\arctan"; false where it is none. */
bool function_find(cord_text name, enum function *function);
/* "\alpha" and other letters with a name: whether the command stands for a variable. */
bool is_greek(cord_text command);

#endif
