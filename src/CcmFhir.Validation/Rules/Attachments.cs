using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace CcmFhir.Validation.Rules;

/// <summary>Attachments that carry their data: size and hash are those of the data (datatypes.html#Attachment).</summary>
internal sealed class Attachments : Rule
{
    public override void Compile(ElementScope scope, ElementChecks into)
    {
        if (scope.IsRoot && scope.Base is null && scope.Node.Structure.Type == "Attachment")
        {
            into.OfValue.Add(new SizeAndHash());
        }
    }

    private sealed class SizeAndHash : ValueCheck
    {
        public override void Check(Walk walk, in Spot spot)
        {
            var attachment = spot.Value;
            var (size, hash) = (attachment["size"u8], attachment["hash"u8]);
            var data = attachment["data"u8];
            if (data.Kind != JsonKind.String || (size.Kind != JsonKind.Number && hash.Kind != JsonKind.String))
            {
                return;
            }
            var bytes = Encoding.UTF8.GetBytes(data.Text!);
            if (Base64.DecodeFromUtf8InPlace(bytes, out var length) != OperationStatus.Done)
            {
                // What is wrong with it is told where it stands.
                return;
            }
            if (
                size.Kind == JsonKind.Number
                && int.TryParse(size.Raw, CultureInfo.InvariantCulture, out var stated)
                && stated != length
            )
            {
                walk.Add(
                    Severity.Error,
                    "value",
                    "attachment-size",
                    size,
                    $"The size says {stated} bytes; the data has {length}."
                );
            }
            if (
                hash.Kind == JsonKind.String
                && PrimitiveFormat.Problem(Primitive.Base64Binary, Encoding.UTF8.GetBytes(hash.Text!)) is null
                && Convert.ToBase64String(SHA1.HashData(bytes.AsSpan(0, length))) is var actual
                && hash.Text != actual
            )
            {
                walk.Add(
                    Severity.Error,
                    "value",
                    "attachment-hash",
                    hash,
                    $"The hash is not the SHA-1 of the data in base64, which is '{actual}'."
                );
            }
        }
    }
}
