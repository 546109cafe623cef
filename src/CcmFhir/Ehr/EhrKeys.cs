using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using CcmFhir.Access;
using Microsoft.IdentityModel.Tokens;

namespace CcmFhir.Ehr;

/// <summary>One of our key pairs for SMART Backend Services.</summary>
/// <param name="Id">Key id: the RFC 7638 thumbprint of the public half.</param>
/// <param name="Algorithm">ES384 or RS384.</param>
/// <param name="Made">When it was made, UTC; the start of time for keys that the configuration names.</param>
/// <param name="Key">The pair.</param>
internal sealed record EhrKey(string Id, string Algorithm, DateTimeOffset Made, SecurityKey Key)
{
    /// <summary>The public half as a JWK.</summary>
    public IReadOnlyDictionary<string, string> PublicJwk
    {
        get
        {
            var jwk = JsonWebKeyConverter.ConvertFromSecurityKey(Key);
            var common = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["kty"] = jwk.Kty,
                ["use"] = "sig",
                ["alg"] = Algorithm,
                ["kid"] = Id,
            };
            if (Algorithm == "ES384")
            {
                (common["crv"], common["x"], common["y"]) = (jwk.Crv, jwk.X, jwk.Y);
            }
            else
            {
                (common["n"], common["e"]) = (jwk.N, jwk.E);
            }
            return common;
        }
    }
}

/// <summary>Our keys for the EHRs' token endpoints, a folder for each practice, a PEM file for each key
/// (<c>20261124T213000Z.es384.pem</c>: made at, algorithm), readable by its owner alone. Any process may rotate; all see it.</summary>
/// <remarks>A new key is published at once and signs only after <see cref="PublishAhead"/>, so that authorization servers that keep our
/// key set for a while know it by then. An old one stays published for <see cref="PublishAfter"/> and is then deleted.</remarks>
/// <param name="folder">The folder; it is made when the first key is.</param>
internal sealed class EhrKeys(string folder)
{
    /// <summary>How long a new key is published before it signs.</summary>
    public static readonly TimeSpan PublishAhead = TimeSpan.FromMinutes(10);

    /// <summary>How long a key stays published after the next one began to sign.</summary>
    public static readonly TimeSpan PublishAfter = TimeSpan.FromHours(24);

    private const string Stamp = "yyyyMMdd'T'HHmmssfff'Z'";
    private readonly ConcurrentDictionary<string, EhrKey> read = new(StringComparer.Ordinal);

    /// <summary>The keys that are published at an instant, oldest first.</summary>
    public IReadOnlyList<EhrKey> Published(string practice, DateTimeOffset now)
    {
        var keys = All(practice);
        return
        [
            .. keys.Where(key =>
                !keys.Any(next =>
                    next.Algorithm == key.Algorithm
                    && next.Made > key.Made
                    && next.Made + PublishAhead + PublishAfter <= now
                )
            ),
        ];
    }

    /// <summary>The key that signs at an instant: the newest that has been published long enough, else the oldest; made when there is none.</summary>
    public EhrKey Signing(string practice, string algorithm, DateTimeOffset now)
    {
        var keys = All(practice).Where(key => key.Algorithm == algorithm).ToList();
        if (keys.Count == 0)
        {
            return Rotate(practice, algorithm, now);
        }
        return keys.LastOrDefault(key => key.Made + PublishAhead <= now) ?? keys[0];
    }

    /// <summary>Makes a new key, and deletes those that need not be published any more.</summary>
    public EhrKey Rotate(string practice, string algorithm, DateTimeOffset now)
    {
        var place = Path.Combine(folder, practice);
        Directory.CreateDirectory(place);
        var made = DateTimeOffset.FromUnixTimeMilliseconds(now.ToUnixTimeMilliseconds());
        var file = Path.Combine(
            place,
            $"{made.UtcDateTime.ToString(Stamp, CultureInfo.InvariantCulture)}.{algorithm.ToLowerInvariant()}.pem"
        );
        KeyFile.Make(file, NewPem(algorithm));
        var published = Published(practice, now).Select(key => key.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var old in Files(practice))
        {
            if (!published.Contains(Read(old).Id))
            {
                File.Delete(old);
                read.TryRemove(old, out _);
            }
        }
        return Read(file);
    }

    private static string NewPem(string algorithm)
    {
        if (algorithm == "ES384")
        {
            using var pair = ECDsa.Create(ECCurve.NamedCurves.nistP384);
            return pair.ExportPkcs8PrivateKeyPem();
        }
        using var rsa = RSA.Create(3072);
        return rsa.ExportPkcs8PrivateKeyPem();
    }

    private List<EhrKey> All(string practice) => [.. Files(practice).Select(Read)];

    private string[] Files(string practice)
    {
        var place = Path.Combine(folder, practice);
        if (!Directory.Exists(place))
        {
            return [];
        }
        var files = Directory.GetFiles(place, "*.pem");
        Array.Sort(files, StringComparer.Ordinal);
        return files;
    }

    private EhrKey Read(string file) =>
        read.GetOrAdd(
            file,
            static file =>
            {
                var parts = Path.GetFileName(file).Split('.');
                if (
                    parts is not [var stamp, "es384" or "rs384", "pem"]
                    || !DateTimeOffset.TryParseExact(
                        stamp,
                        Stamp,
                        CultureInfo.InvariantCulture,
                        DateTimeStyles.AssumeUniversal,
                        out var made
                    )
                )
                {
                    throw new InvalidDataException(
                        $"'{Path.GetFileName(file)}' is not a key file of ours: <instant>.es384.pem or <instant>.rs384.pem."
                    );
                }
                var pem = File.ReadAllText(file);
                SecurityKey key;
                if (parts[1] == "es384")
                {
                    var pair = ECDsa.Create();
                    pair.ImportFromPem(pem);
                    key = new ECDsaSecurityKey(pair);
                }
                else
                {
                    var pair = RSA.Create();
                    pair.ImportFromPem(pem);
                    key = new RsaSecurityKey(pair);
                }
                key.KeyId = Base64UrlEncoder.Encode(key.ComputeJwkThumbprint());
                return new EhrKey(key.KeyId, parts[1].ToUpperInvariant(), made, key);
            }
        );
}
