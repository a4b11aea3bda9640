/*
 * A self-signed ECDSA certificate, made anew each time: nothing expires in the tree.
 */
#include "tests/unit/http_kit/tls.h"

#include "base/magic.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <time.h>

enum { DAY_S = 86400 };

static void sign(gnutls_x509_crt_t cert, gnutls_x509_privkey_t key)
{
	const unsigned char serial[] = {1};
	const unsigned char address[] = {127, 0, 0, 1};

	gnutls_x509_crt_set_version(cert, 3);
	gnutls_x509_crt_set_serial(cert, serial, sizeof(serial));
	gnutls_x509_crt_set_activation_time(cert, time(NULL) - DAY_S);
	gnutls_x509_crt_set_expiration_time(cert, time(NULL) + DAY_S);
	gnutls_x509_crt_set_dn(cert, "CN=127.0.0.1", NULL);
	gnutls_x509_crt_set_subject_alt_name(cert, GNUTLS_SAN_IPADDRESS, address, sizeof(address), GNUTLS_FSAN_SET);
	gnutls_x509_crt_set_key(cert, key);
	CHECK(gnutls_x509_crt_sign2(cert, cert, key, GNUTLS_DIG_SHA256, 0) == 0);
}

void tls_pair_make(struct tls_pair *out)
{
	size_t cert_size = sizeof(out->cert), key_size = sizeof(out->key);
	gnutls_x509_crt_t cert;
	gnutls_x509_privkey_t key;

	gnutls_x509_privkey_init(&key);
	gnutls_x509_crt_init(&cert);
	CHECK(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1),
					   0) == 0);
	sign(cert, key);
	CHECK(gnutls_x509_crt_export(cert, GNUTLS_X509_FMT_PEM, out->cert, &cert_size) == 0);
	CHECK(gnutls_x509_privkey_export(key, GNUTLS_X509_FMT_PEM, out->key, &key_size) == 0);
	gnutls_x509_crt_deinit(cert);
	gnutls_x509_privkey_deinit(key);
}
