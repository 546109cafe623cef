using System.IO.Compression;
using System.Text;
using CcmFhir.Fhir;
using CcmFhir.Validation;
using Hl7.Fhir.Model;
using Hl7.Fhir.Serialization;

namespace CcmFhir.Tests.Fhir;

/// <summary>XML that we write, read back by the Firely SDK.</summary>
public class XmlBodyTest
{
    [Theory]
    [InlineData("mary-lind")]
    [InlineData("morris-lockman")]
    [InlineData("renato-dare")]
    public async System.Threading.Tasks.Task A_whole_patient_written_as_XML_says_the_same(string name)
    {
        await using var file = File.OpenRead(
            Path.Combine(AppContext.BaseDirectory, "Data", "synthea", name + ".json.gz")
        );
        await using var unpacked = new GZipStream(file, CompressionMode.Decompress);
        using var bytes = new MemoryStream();
        await unpacked.CopyToAsync(bytes, TestContext.Current.CancellationToken);

        SaysTheSame<Bundle>(Encoding.UTF8.GetString(bytes.ToArray()));
    }

    [Theory]
    [InlineData(
        """
            {"resourceType":"Patient","id":"p","meta":{"versionId":"1"},"language":"en",
             "text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">a &amp; <b>b</b></div>"},
             "contained":[{"resourceType":"Organization","id":"o","name":"<O> & \"Co\""}],
             "extension":[{"id":"x1","url":"urn:x","valueDecimal":1.00},{"url":"urn:y","extension":[{"url":"z","valueBoolean":false}]}],
             "active":true,"name":[{"id":"n1","family":"Ä","_family":{"id":"f","extension":[{"url":"urn:own","valueString":"Q"}]},
               "given":["A",null,"C"],"_given":[null,{"extension":[{"url":"urn:nul","valueCode":"masked"}]},{"id":"c"}]}],
             "_birthDate":{"extension":[{"url":"urn:d","valueDateTime":"1970-03-30"}]},
             "deceasedDateTime":"2020-01-01","multipleBirthInteger":2,"managingOrganization":{"reference":"#o"}}
            """
    )]
    [InlineData(
        """
            {"resourceType":"Parameters","parameter":[{"name":"a","valueUri":"urn:x"},{"name":"r","resource":{"resourceType":"Basic","id":"b","code":{"text":"t"} } },
             {"name":"p","part":[{"name":"q","valueQuantity":{"value":1e-3,"unit":"mg"} }]}]}
            """
    )]
    [InlineData(
        """
            {"resourceType":"Questionnaire","status":"draft","item":[{"linkId":"1","type":"group","item":[{"linkId":"1.1","type":"string","item":[{"linkId":"1.1.1","type":"display"}]}]}]}
            """
    )]
    public void Corners_of_the_format_are_kept(string json) => SaysTheSame<Resource>(json);

    [Fact]
    public void Narrative_that_is_no_XML_and_characters_that_XML_has_no_place_for_leave_a_readable_document()
    {
        var xml = Write(
            """{"resourceType":"Basic","text":{"status":"generated","div":"<div>open"},"code":{"text":"a\u0001b"}}"""
        );

        var document = System.Xml.Linq.XDocument.Parse(xml);

        document.ToString().ShouldContain("value=\"ab\"");
        document.ToString().ShouldContain("&lt;div&gt;open");
    }

    private static void SaysTheSame<T>(string json)
        where T : Resource
    {
        var resource = new FhirXmlDeserializer().Deserialize<T>(Write(json));

        // Both through the SDK, so that its own way with numbers makes no difference.
        var asJson = new FhirJsonDeserializer().Deserialize<T>(json);
        var serializer = new FhirJsonSerializer();
        var (written, expected) = (
            // The SDK's XML reader writes its own <br />.
            serializer.SerializeToString(resource).Replace(" />", "/>"),
            serializer.SerializeToString(asJson)
        );
        var same = written.Zip(expected).TakeWhile(pair => pair.First == pair.Second).Count();
        written.ShouldBe(expected, $"...{expected[Math.Max(0, same - 200)..Math.Min(same + 100, expected.Length)]}");
    }

    private static string Write(string json) =>
        Encoding.UTF8.GetString(
            XmlBody.ToBytes(FhirJson.Parse(Encoding.UTF8.GetBytes(json), out _)!.Root, indent: false)
        );
}
