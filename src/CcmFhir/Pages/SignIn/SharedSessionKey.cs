using System.Globalization;
using System.Xml.Linq;
using CcmFhir.Access;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.AuthenticatedEncryption.ConfigurationModel;
using Microsoft.AspNetCore.DataProtection.Repositories;

namespace CcmFhir.Pages;

/// <summary>The one key that sessions and forms are sealed with where instances share no folder: it follows from the signing key, which they all have, so
/// that whichever instance is asked can read what another sealed. With another signing key all sessions end.</summary>
/// <param name="signing">The signing key.</param>
internal sealed class SharedSessionKey(SigningKey signing) : IXmlRepository
{
    private const int MasterKeySize = 64;
    private const int IdSize = 16;

    /// <inheritdoc/>
    public IReadOnlyCollection<XElement> GetAllElements()
    {
        var descriptor = new AuthenticatedEncryptorDescriptor(
            new AuthenticatedEncryptorConfiguration(),
            new Secret(signing.Derive("ccmfhir session key", MasterKeySize))
        ).ExportToXml();
        return
        [
            new XElement(
                "key",
                new XAttribute("id", new Guid(signing.Derive("ccmfhir session key id", IdSize))),
                new XAttribute("version", 1),
                new XElement("creationDate", DateTimeOffset.UnixEpoch),
                new XElement("activationDate", DateTimeOffset.UnixEpoch),
                new XElement(
                    "expirationDate",
                    new DateTimeOffset(9999, 1, 1, 0, 0, 0, TimeSpan.Zero).ToString("O", CultureInfo.InvariantCulture)
                ),
                new XElement(
                    "descriptor",
                    new XAttribute("deserializerType", descriptor.DeserializerType.AssemblyQualifiedName!),
                    descriptor.SerializedDescriptorElement
                )
            ),
        ];
    }

    /// <inheritdoc/>
    /// <exception cref="NotSupportedException">Always: there is one key and no other.</exception>
    public void StoreElement(XElement element, string friendlyName) => throw new NotSupportedException();
}
