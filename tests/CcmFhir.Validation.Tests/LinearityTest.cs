using System.Runtime;
using System.Text;

namespace CcmFhir.Validation.Tests;

/// <summary>A document of four times the size takes about four times the memory and the processor's time, whatever it holds: nothing in it is
/// looked for by going through the rest. Sizes are those where a loop in a loop would take minutes.</summary>
[Collection(nameof(LinearityTest))]
[CollectionDefinition(nameof(LinearityTest), DisableParallelization = true)]
public sealed class LinearityTest(ITestOutputHelper output)
{
    private const int Large = 50_000;

    public static TheoryData<string> Kinds =>
        [
            "entries that refer to each other",
            "entries that refer to nothing",
            "entries that are wrong",
            "entries with the same fullUrl",
            "entries with codes that nobody knows",
            "contained resources that refer to each other",
            "contained resources that are not there",
            "properties that nobody knows",
            "the same property",
            "resourceType again and again",
            "the same profile",
            "profiles that nobody knows",
            "extensions that nobody knows",
            "extensions in the wrong place",
            "codings of one concept",
            "a name of many parts",
            "bundles in bundles",
        ];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Time_and_memory_grow_as_the_document_does(string kind)
    {
        var small = Work.Of(Document(kind, Large / 4));
        var large = Work.Of(Document(kind, Large));

        large.Allocated.ShouldBeLessThan((6 * small.Allocated) + 1_000_000);
        large.Allocated.ShouldBeLessThan((40L * large.Document.Length) + 20_000_000);
        large.Issues.ShouldBeLessThan(10_010);
        // A square would be sixteen times; what is short is measured badly, and what others do on the machine disturbs a measurement, never all.
        var (quarter, whole) = (double.MaxValue, double.MaxValue);
        for (var asked = 0; asked < 3; asked++)
        {
            (quarter, whole) = (Math.Min(quarter, small.Milliseconds()), Math.Min(whole, large.Milliseconds()));
            output.WriteLine(
                $"{kind}: {large.Document.Length >> 10} KB read, {large.Allocated >> 10} KB allocated, {large.Issues} issues; {whole:0} ms of the processor, a quarter of it {quarter:0} ms"
            );
            if (whole < 10 * Math.Max(quarter, 25))
            {
                return;
            }
        }
        whole.ShouldBeLessThan(10 * Math.Max(quarter, 25));
    }

    private static string Document(string kind, int count)
    {
        string Each(Func<int, string> one) => string.Join(',', Enumerable.Range(0, count).Select(one));
        string Bundle(Func<int, string> resource, Func<int, string>? url = null) =>
            $$"""{"resourceType":"Bundle","type":"collection","entry":[ {{Each(at => $$"""{"fullUrl":"{{(url ?? Url)(at)}}","resource":{{resource(at)}} }""")}} ]}""";
        string Patient(string content) => $$"""{"resourceType":"Patient",{{content}}}""";

        return kind switch
        {
            "entries that refer to each other" => Bundle(at =>
                Patient(
                    $$"""
                    "link":[ {{string.Join(
                        ',',
                        Enumerable.Range(1, 4).Select(step =>
                            $$"""{"type":"refer","other":{"reference":"{{Url((at + (step * 7919)) % count)}}"} }"""
                        )
                    )}} ]
                    """
                )
            ),
            "entries that refer to nothing" => Bundle(at =>
                Patient(
                    $$"""
                    "managingOrganization":{"reference":"{{Url(at + count)}}"}
                    """
                )
            ),
            "entries that are wrong" => Bundle(at => Patient($"\"gendre\":\"male\",\"birthDate\":\"{at}-40\"")),
            "entries with the same fullUrl" => Bundle(at => Patient("\"active\":true"), _ => Url(0)),
            "entries with codes that nobody knows" => Bundle(at =>
                Patient(
                    $$"""
                    "gender":"a{{at}}","maritalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"zz{{at}}"}]},"communication":[{"language":{"coding":[{"system":"urn:ietf:bcp:47","code":"q{{at}}"}]} }]
                    """
                )
            ),
            "contained resources that refer to each other" => Patient(
                $$"""
                "contained":[ {{Each(at =>
                    $$"""{"resourceType":"Organization","id":"o{{at}}","name":"a","partOf":{"reference":"#o{{(at + 7919) % count}}"} }"""
                )}} ]
                """
            ),
            "contained resources that are not there" => Patient(
                $$"""
                "contained":[ {{Each(at =>
                    $$"""{"resourceType":"Organization","id":"o{{at}}","name":"a","partOf":{"reference":"#p{{at}}"} }"""
                )}} ]
                """
            ),
            "properties that nobody knows" => Patient(Each(at => $"\"nam{at}\":{at}")),
            "the same property" => Patient(Each(_ => "\"gender\":\"male\"")),
            "resourceType again and again" => $$"""{ {{Each(_ => "\"resourceType\":\"Patient\"")}},"id":"a"}""",
            "the same profile" => Patient(
                $$"""
                "meta":{"profile":[ {{Each(_ =>
                    "\"http://ccmfhir.org/fhir/StructureDefinition/ccm-patient\""
                )}} ]},"name":[ {{Each(_ => "{\"family\":\"a\"}")}} ]
                """
            ),
            "profiles that nobody knows" => Patient(
                $$"""
                "meta":{"profile":[ {{Each(at => $"\"http://example.org/{at}\"")}} ]}
                """
            ),
            "extensions that nobody knows" => Patient(
                $$"""
                "extension":[ {{Each(at =>
                    $$"""{"url":"http://hl7.org/fhir/StructureDefinition/x{{at}}","valueString":"a"}"""
                )}} ]
                """
            ),
            "extensions in the wrong place" => Patient(
                $$"""
                "name":[ {{Each(at =>
                    """{"family":"a","extension":[{"url":"http://hl7.org/fhir/StructureDefinition/patient-birthPlace","valueAddress":{"city":"a"}}]}"""
                )}} ]
                """
            ),
            "codings of one concept" =>
                $$"""{"resourceType":"Condition","subject":{"reference":"Patient/1"},"clinicalStatus":{"coding":[ {{Each(at => $$"""{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"a{{at}}"}""")}} ]} }""",
            "a name of many parts" => Patient(
                $$"""
                "name":[{"given":[ {{Each(_ => "null")}} ],"_given":[ {{Each(_ => "{\"id\":\"a\"}")}} ]}]
                """
            ),
            "bundles in bundles" => Bundle(at =>
                $$"""{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"{{Url(at)}}","resource":{"resourceType":"Patient","link":[{"type":"refer","other":{"reference":"{{Url(at)}}"} }] } }]}"""
            ),
            _ => throw new ArgumentOutOfRangeException(nameof(kind)),
        };
    }

    private static string Url(int at) => $"urn:uuid:{new Guid(at, 1, 1, [1, 1, 1, 1, 1, 1, 1, 1])}";

    /// <summary>What it takes to validate a document.</summary>
    private sealed record Work(byte[] Document, long Allocated, int Issues)
    {
        public static Work Of(string json)
        {
            var document = Encoding.UTF8.GetBytes(json);
            ProfileSet.Default.Validate(document);
            var before = GC.GetAllocatedBytesForCurrentThread();
            var report = ProfileSet.Default.Validate(document);
            return new Work(document, GC.GetAllocatedBytesForCurrentThread() - before, report.Issues.Count);
        }

        /// <summary>Milliseconds of the processor that this process used, nothing else being at work in it. Nothing is collected meanwhile:
        /// a collection costs what is alive, which is no loop of ours.</summary>
        public double Milliseconds()
        {
            GC.TryStartNoGCRegion(Allocated + (Allocated / 4) + 16_000_000).ShouldBeTrue();
            try
            {
                var before = Environment.CpuUsage.TotalTime;
                ProfileSet.Default.Validate(Document);
                return (Environment.CpuUsage.TotalTime - before).TotalMilliseconds;
            }
            finally
            {
                GCSettings.LatencyMode.ShouldBe(GCLatencyMode.NoGCRegion, "nothing was collected");
                GC.EndNoGCRegion();
            }
        }
    }
}
