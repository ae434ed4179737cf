/* flint.h - FLINT's and Arb's headers, wherever this system keeps them: FLINT 3 has all of them under flint/; before it
 * (Debian 12) Arb's lie in the open. No other file of this folder includes them by itself. */
#ifndef CORD_ANSWER_FLINT_H
#define CORD_ANSWER_FLINT_H

#include <flint/fmpq.h>
#include <flint/fmpz.h>
#include <flint/fmpz_mpoly.h>

#if __has_include(<flint/acb.h>)
#include <flint/acb.h>
#include <flint/arb.h>
#else
#include <acb.h>
#include <arb.h>
#endif

#endif
