using System.Security.Cryptography;
using System.Text;
using Microsoft.IdentityModel.Tokens;

namespace CcmFhir.Access;

/// <summary>The key that our access tokens are signed with (ES384). It comes from the configuration (<c>Ccm:Access:SigningKey</c>, PEM; on Azure a
/// Key Vault reference), so that all instances share it; a single machine without one makes its own beside the store, readable by its owner alone.</summary>
internal sealed class SigningKey : IDisposable
{
    private readonly ECDsa pair;

    private SigningKey(ECDsa pair)
    {
        this.pair = pair;
        var point = pair.ExportParameters(includePrivateParameters: false).Q;
        Id = Base64UrlEncoder.Encode(SHA256.HashData([.. point.X!, .. point.Y!])[..12]);
        Key = new ECDsaSecurityKey(pair) { KeyId = Id };
        Credentials = new SigningCredentials(Key, SecurityAlgorithms.EcdsaSha384);
    }

    /// <summary>Key id: a hash of the public point.</summary>
    public string Id { get; }

    /// <summary>For checking.</summary>
    public SecurityKey Key { get; }

    /// <summary>For signing.</summary>
    public SigningCredentials Credentials { get; }

    /// <summary>The public half as a JWK set.</summary>
    public object PublicKeys
    {
        get
        {
            var point = pair.ExportParameters(includePrivateParameters: false).Q;
            return new
            {
                keys = new[]
                {
                    new
                    {
                        kty = "EC",
                        crv = "P-384",
                        use = "sig",
                        alg = SecurityAlgorithms.EcdsaSha384,
                        kid = Id,
                        x = Base64UrlEncoder.Encode(point.X),
                        y = Base64UrlEncoder.Encode(point.Y),
                    },
                },
            };
        }
    }

    /// <summary>The configured key, or the machine's own.</summary>
    /// <param name="pem">PEM of a P-384 private key; null or empty for none.</param>
    /// <param name="file">Where a machine without one keeps its own; null for a key that lives as long as the process.</param>
    /// <exception cref="InvalidOperationException">Not a P-384 private key.</exception>
    public static SigningKey Load(string? pem, string? file)
    {
        var whence = "Ccm:Access:SigningKey";
        if (string.IsNullOrWhiteSpace(pem))
        {
            if (file is null)
            {
                return new SigningKey(ECDsa.Create(ECCurve.NamedCurves.nistP384));
            }
            pem = File.Exists(file) ? File.ReadAllText(file) : Make(file);
            whence = $"The file '{file}'";
        }
        var own = ECDsa.Create();
        try
        {
            own.ImportFromPem(pem);
        }
        catch (Exception fault) when (fault is ArgumentException or CryptographicException)
        {
            throw new InvalidOperationException(
                $"{whence} is not the PEM of a private key (openssl ecparam -name secp384r1 -genkey -noout).",
                fault
            );
        }
        return own.KeySize == 384
            ? new SigningKey(own)
            : throw new InvalidOperationException($"{whence} is a key of {own.KeySize} bits; P-384 is needed.");
    }

    /// <summary>Bytes for another use that follow from the key and tell nothing of it: the same in every instance that has the key.</summary>
    /// <param name="use">What they are for; another use has other bytes.</param>
    /// <param name="length">How many.</param>
    public byte[] Derive(string use, int length) =>
        HKDF.DeriveKey(
            HashAlgorithmName.SHA384,
            pair.ExportParameters(includePrivateParameters: true).D!,
            length,
            info: Encoding.UTF8.GetBytes(use)
        );

    /// <inheritdoc/>
    public void Dispose() => pair.Dispose();

    private static string Make(string file)
    {
        using var own = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        KeyFile.Make(file, own.ExportECPrivateKeyPem());
        return File.ReadAllText(file);
    }
}
